#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/scheduler/core/core_driver.h"

namespace internode::scheduler::core {
namespace {

class CoreLeasesTest : public CoreTest {
 protected:
  // Three tasks of 100 ms: worker 8 has done two; worker 7, which has given one
  // of them back, is stuck in the first one.
  void LeaveWorker7InTheFirstOfThree() {
    Submit(1, 3);
    Join(7);
    Join(8);
    Return(7, 2, {{1, 2}});
    now_ += absl::Milliseconds(100);
    Arrive(1, 8, 3, 1, {2, 3}, absl::Milliseconds(100));
    Arrive(2, 8, 4, 1, {1, 2}, absl::Milliseconds(100));
  }
};

TEST_F(CoreLeasesTest, LeasesGrowToASecondAsDurationsAreMeasured) {
  Submit(1, 10'000'000);
  Join(7, 2);
  // 2 slots, 1 ms each: no more than 16 times what was measured at first.
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 2}, absl::Milliseconds(2)),
            (Lines{"accept f1 j1[0,2)", "grant w7 l3 j1[4,16)",
                   "grant w7 l4 j1[16,48)", "grant w7 l5 j1[48,80)"}));
  EXPECT_EQ(Arrive(2, 7, 2, 1, {2, 4}, absl::Milliseconds(2)),
            (Lines{"accept f2 j1[2,4)", "grant w7 l6 j1[80,144)"}));
  Arrive(3, 7, 3, 1, {4, 16}, absl::Milliseconds(12));
  Arrive(4, 7, 4, 1, {16, 48}, absl::Milliseconds(32));
  Arrive(5, 7, 5, 1, {48, 80}, absl::Milliseconds(32));
  Arrive(6, 7, 6, 1, {80, 144}, absl::Milliseconds(64));
  // It has enough for a second, and less than another lease more.
  EXPECT_GE(core_.Worker({7})->queued, absl::Seconds(1));
  EXPECT_LE(core_.Worker({7})->queued, absl::Seconds(2));
}

TEST_F(CoreLeasesTest, AWorkerGoesOnNextToWhatItHad) {
  Submit(1, 1'000'000);
  EXPECT_EQ(Join(7), (Lines{"notify j1 running", "grant w7 l1 j1[0,1)",
                            "grant w7 l2 j1[1,2)"}));
  // Another one begins beyond what the first one will want next.
  EXPECT_EQ(Join(8), (Lines{"grant w8 l3 j1[8,9)", "grant w8 l4 j1[9,10)"}));
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}, absl::Milliseconds(10))[1],
            "grant w7 l5 j1[2,8)");
}

TEST_F(CoreLeasesTest, TasksThatShareWhatTheyReadStayTogether) {
  Handle(JobSubmitted{{1}, 1'000'000, 0, {.tasks_together = 20}});
  EXPECT_EQ(Join(7), (Lines{"notify j1 running", "grant w7 l1 j1[0,1)",
                            "grant w7 l2 j1[1,2)"}));
  // Another one begins with tasks that share nothing with the first one's.
  EXPECT_EQ(Join(8), (Lines{"grant w8 l3 j1[20,21)", "grant w8 l4 j1[21,22)"}));
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}, absl::Milliseconds(10))[1],
            "grant w7 l5 j1[2,18)");
}

TEST_F(CoreLeasesTest, TasksThatBelongTogetherAreTakenBackTogether) {
  Handle(JobSubmitted{{1}, 100, 0, {.tasks_together = 10}});
  Join(7);
  Arrive(1, 7, 1, 1, {0, 1}, absl::Milliseconds(10));
  const Lines lines = Join(8);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "grant w8 l6 j1[90,100)");
}

// A client that says nonsense harms nobody.
TEST_F(CoreLeasesTest, TasksThatBelongTogetherAreAtMostAllOfThem) {
  for (const int64_t together : {INT64_MIN, int64_t{0}, INT64_MAX}) {
    const JobId job = {static_cast<uint64_t>(together & 3) + 1};
    Handle(JobSubmitted{job, 5, 0, {.tasks_together = together}});
  }
  EXPECT_EQ(Join(7).size(), 4u);
}

TEST_F(CoreLeasesTest, NearTheEndLeasesAreAShareOfWhatIsLeft) {
  JobRecovered recovered;
  recovered.submission = {{1}, 1000, 0, {}};
  Handle(recovered);
  Join(7, 1, {{{1}, {0, 900}}});
  // 10 ms each: a second would be all that is left; half of it is granted.
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 900}, absl::Seconds(9)),
            (Lines{"accept f1 j1[0,900)", "grant w7 l2 j1[900,950)",
                   "grant w7 l3 j1[950,975)", "grant w7 l4 j1[975,987)",
                   "grant w7 l5 j1[987,993)"}));
}

TEST_F(CoreLeasesTest, AnIdleWorkerTakesUnstartedWorkBack) {
  Submit(1, 2);
  Join(7);
  // Task 0 runs; task 1 is only prefetched.
  EXPECT_EQ(Join(8), (Lines{"take back w7 l2[1,2)"}));
  EXPECT_EQ(Return(7, 2, {{1, 2}}), (Lines{"grant w8 l3 j1[1,2)"}));
}

TEST_F(CoreLeasesTest, WhatHasStartedStays) {
  Submit(1, 2);
  Join(7);
  Join(8);
  EXPECT_EQ(Return(7, 2, {}), Lines());
  // It is not asked again.
  EXPECT_EQ(Pass(absl::Seconds(1)), Lines());
  EXPECT_EQ(Beat(8), Lines());
  // Two answers, and answers to no question, do no harm.
  EXPECT_EQ(Return(7, 2, {{1, 2}}), (Lines{"grant w8 l3 j1[1,2)"}));
  EXPECT_EQ(Return(7, 2, {{1, 2}}), Lines());
  EXPECT_EQ(Return(7, 1, {{1, 2}, {-5, -1}, {7, INT64_MAX}}), Lines());
}

TEST_F(CoreLeasesTest, AWorkerThatDoesNotAnswerIsLost) {
  Submit(1, 2);
  Join(7);
  Join(8);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(Beat(7), Lines());
    EXPECT_EQ(Beat(8), Lines());
    if (i < 5) {
      EXPECT_EQ(Pass(absl::Seconds(5)), Lines());
    }
  }
  EXPECT_EQ(Pass(absl::Seconds(5)),
            (Lines{"close w7: the worker does not answer a take-back",
                   "grant w8 l3 j1[0,1)", "grant w8 l4 j1[1,2)"}));
}

TEST_F(CoreLeasesTest, ATaskThatRunsFarTooLongIsCopiedAtTheEnd) {
  LeaveWorker7InTheFirstOfThree();
  EXPECT_EQ(Job(1).leased, 1);
  EXPECT_EQ(Pass(absl::Milliseconds(199)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(1)), (Lines{"grant w8 l5 j1[0,1)"}));
  EXPECT_EQ(Why(1, 0), "with worker 7 for 300ms; a copy is with worker 8");
  // There is nobody else who could run it.
  EXPECT_EQ(Pass(absl::Seconds(10)), Lines());
  // The first result wins.
  EXPECT_EQ(Arrive(3, 8, 5, 1, {0, 1}),
            (Lines{"revoke w7 l1[0,1)", "accept f3 j1[0,1)"}));
}

TEST_F(CoreLeasesTest, TheCopyGoesOnWhenTheFirstHolderIsLost) {
  Submit(1, 3);
  Join(7);
  Join(8);
  Return(7, 2, {{1, 2}});
  Arrive(1, 8, 3, 1, {2, 3}, absl::Milliseconds(100));
  Arrive(2, 8, 4, 1, {1, 2}, absl::Milliseconds(100));
  Pass(absl::Seconds(2));
  EXPECT_EQ(Handle(WorkerLost{{7}, 1, "cut"}), Lines());
  EXPECT_EQ(Job(1).leased, 1);
  EXPECT_EQ(Why(1, 0), "with worker 8 for 1.8s");
  // And the other way round.
  EXPECT_EQ(Arrive(3, 8, 5, 1, {0, 1}), (Lines{"accept f3 j1[0,1)"}));
}

TEST_F(CoreLeasesTest, ACopyThatIsLateTooGoesToAnotherWorker) {
  LeaveWorker7InTheFirstOfThree();
  EXPECT_EQ(Pass(absl::Milliseconds(200)), (Lines{"grant w8 l5 j1[0,1)"}));
  now_ += absl::Milliseconds(100);
  Join(9);
  // The task takes long: worker 7 lives, and goes on.
  EXPECT_EQ(Beat(7), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(299)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(1)),
            (Lines{"revoke w8 l5[0,1)", "grant w9 l6 j1[0,1)"}));
  EXPECT_EQ(Why(1, 0), "with worker 7 for 700ms; a copy is with worker 9");
  // The next copy has longer.
  EXPECT_EQ(Beat(7), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(499)), Lines());
  // Late, but as good as any.
  EXPECT_EQ(
      Arrive(3, 8, 5, 1, {0, 1}),
      (Lines{"revoke w7 l1[0,1)", "revoke w9 l6[0,1)", "accept f3 j1[0,1)"}));
}

TEST_F(CoreLeasesTest, OfTwoWhoAreLateTheOneGoesOnThatWasHeard) {
  LeaveWorker7InTheFirstOfThree();
  EXPECT_EQ(Pass(absl::Milliseconds(200)), (Lines{"grant w8 l5 j1[0,1)"}));
  Join(9);
  // Nothing came from worker 7 since: two others are sooner through.
  EXPECT_EQ(Pass(absl::Milliseconds(199)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(1)),
            (Lines{"revoke w7 l1[0,1)", "grant w9 l6 j1[0,1)"}));
  EXPECT_EQ(Why(1, 0), "with worker 8 for 200ms; a copy is with worker 9");
  // It gets nothing until it is heard.
  Handle(DrainRequested{{8}});
  Handle(DrainRequested{{9}});
  EXPECT_EQ(Submit(2, 1), (Lines{"persist j2 queued"}));
  EXPECT_EQ(Beat(7), (Lines{"notify j2 running", "grant w7 l7 j2[0,1)"}));
}

TEST_F(CoreLeasesTest, SuspectsAreNotTakenBack) {
  Submit(1, 17);
  Join(7, 1, {{{1}, {0, 16}}});
  Join(8);
  Arrive(1, 8, 2, 1, {16, 17}, absl::Milliseconds(100));
  Handle(ProcessDied{{7}, 1, "killed", std::nullopt});
  EXPECT_EQ(Why(1, 1), "with worker 8 for 0, alone");
  Join(9);
  Join(10);
  for (const std::string& line : Pass(absl::Seconds(20))) {
    EXPECT_FALSE(line.starts_with("take back")) << line;
  }
}

TEST_F(CoreLeasesTest, AWorkerIsNotLessLateForWhatOthersDidOfItsTasks) {
  Submit(1, 6);
  Join(7, 1, {{{1}, {0, 4}}});
  Join(8);
  Arrive(1, 8, 2, 1, {4, 5}, absl::Milliseconds(100));
  EXPECT_EQ(Arrive(2, 8, 3, 1, {5, 6}, absl::Milliseconds(100)),
            (Lines{"accept f2 j1[5,6)", "take back w7 l1[2,4)"}));
  EXPECT_EQ(Pass(absl::Seconds(1)), (Lines{"grant w8 l4 j1[0,1)"}));
  EXPECT_EQ(
      Arrive(3, 8, 4, 1, {0, 1}, absl::Milliseconds(100)),
      (Lines{"revoke w7 l1[0,1)", "accept f3 j1[0,1)", "grant w8 l5 j1[1,2)"}));
}

TEST_F(CoreLeasesTest,
       WhatALateWorkerHasNotStartedIsTakenBackBeforeItIsCopied) {
  Submit(1, 6);
  Join(7, 1, {{{1}, {0, 4}}});
  Join(8);
  Arrive(1, 8, 2, 1, {4, 5}, absl::Milliseconds(100));
  // Worker 7 is stuck in task 0, and should have been through long ago.
  now_ += absl::Seconds(1);
  EXPECT_EQ(Arrive(2, 8, 3, 1, {5, 6}, absl::Milliseconds(100)),
            (Lines{"accept f2 j1[5,6)", "take back w7 l1[2,4)"}));
  EXPECT_EQ(Return(7, 1, {{2, 4}}),
            (Lines{"grant w8 l4 j1[2,3)", "grant w8 l5 j1[3,4)"}));
  EXPECT_EQ(Arrive(3, 8, 4, 1, {2, 3}, absl::Milliseconds(100)),
            (Lines{"accept f3 j1[2,3)"}));
  now_ += absl::Seconds(1);
  EXPECT_EQ(Arrive(4, 8, 5, 1, {3, 4}, absl::Milliseconds(100)),
            (Lines{"accept f4 j1[3,4)", "take back w7 l1[1,2)"}));
  EXPECT_EQ(Return(7, 1, {{1, 2}}), (Lines{"grant w8 l6 j1[1,2)"}));
  // Nothing is left but the task in which it is stuck, and for long.
  EXPECT_EQ(Arrive(5, 8, 6, 1, {1, 2}, absl::Milliseconds(100)),
            (Lines{"accept f5 j1[1,2)", "grant w8 l7 j1[0,1)"}));
}

TEST_F(CoreLeasesTest, ALateWorkerThatDoesNotAnswerIsCopiedSoon) {
  Submit(1, 6);
  Join(7, 1, {{{1}, {0, 4}}});
  Join(8);
  Arrive(1, 8, 2, 1, {4, 5}, absl::Milliseconds(100));
  now_ += absl::Seconds(1);
  EXPECT_EQ(Arrive(2, 8, 3, 1, {5, 6}, absl::Milliseconds(100)),
            (Lines{"accept f2 j1[5,6)", "take back w7 l1[2,4)"}));
  EXPECT_EQ(Pass(absl::Milliseconds(199)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(1)), (Lines{"grant w8 l4 j1[0,1)"}));
  // Nor is it asked again.
  EXPECT_EQ(
      Arrive(3, 8, 4, 1, {0, 1}, absl::Milliseconds(100)),
      (Lines{"revoke w7 l1[0,1)", "accept f3 j1[0,1)", "grant w8 l5 j1[1,2)"}));
}

TEST_F(CoreLeasesTest, ASuspectIsCopiedToAnEmptyWorkerAlone) {
  Submit(1, 2);
  Join(7);
  Join(8);
  now_ += absl::Milliseconds(100);
  Arrive(1, 8, 2, 1, {1, 2}, absl::Milliseconds(100));
  Died(7, 1, {0});
  EXPECT_EQ(Why(1, 0), "with worker 8 for 0, alone");
  Join(9);
  EXPECT_EQ(Pass(absl::Seconds(1)), (Lines{"grant w9 l4 j1[0,1) alone"}));
  EXPECT_EQ(Arrive(2, 9, 4, 1, {0, 1}),
            (Lines{"revoke w8 l3[0,1)", "accept f2 j1[0,1)"}));
}

TEST_F(CoreLeasesTest, SlotsOutOfRangeAreMovedIntoIt) {
  Join(7, -3);
  Join(8, 1 << 30);
  EXPECT_EQ(core_.Worker({7})->slots, 1);
  EXPECT_EQ(core_.Worker({8})->slots, kMostSlots);
}

TEST_F(CoreLeasesTest, LeaseIdsDifferFromThoseBeforeARestart) {
  Core restarted(CoreOptions{.incarnation = 3});
  std::vector<Action> actions;
  restarted.Handle(now_, JobSubmitted{{1}, 1, 0, {}}, &actions);
  restarted.Handle(now_, WorkerJoined{{7}, 1, 1, {}}, &actions);
  const auto* grant = std::get_if<GrantLease>(&actions.back());
  ASSERT_NE(grant, nullptr);
  EXPECT_EQ(grant->lease.value, (uint64_t{3} << 40) + 1);
}

}  // namespace
}  // namespace internode::scheduler::core
