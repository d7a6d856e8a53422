#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/scheduler/core/core_driver.h"

namespace internode::scheduler::core {
namespace {

using CoreWorkersTest = CoreTest;

TEST_F(CoreWorkersTest, TheTasksOfALostWorkerMove) {
  Submit(1, 2);
  Join(7);
  Join(8);
  EXPECT_EQ(Handle(WorkerLost{{7}, 1, "cut"}),
            (Lines{"grant w8 l3 j1[0,1)", "grant w8 l4 j1[1,2)"}));
  EXPECT_FALSE(core_.Worker({7}).has_value());
  EXPECT_EQ(Job(1).leased, 2);
}

TEST_F(CoreWorkersTest, AnOldConnectionsEndIsNoNews) {
  Submit(1, 2);
  Join(7);
  Join(7, 1, {}, 2);
  EXPECT_EQ(Handle(WorkerLost{{7}, 1, "cut"}), Lines());
  EXPECT_EQ(Join(7, 1, {}, 1), Lines());
  EXPECT_EQ(core_.Worker({7})->epoch, 2u);
}

TEST_F(CoreWorkersTest, ANewConnectionVoidsTheOld) {
  Submit(1, 1);
  Join(7);
  EXPECT_EQ(Join(7, 1, {}, 2),
            (Lines{"close w7: the worker has a newer connection",
                   "grant w7 l2 j1[0,1)"}));
}

TEST_F(CoreWorkersTest, ASilentWorkerIsLost) {
  Submit(1, 1);
  Join(7);
  EXPECT_EQ(core_.NextWakeup(), now_ + absl::Seconds(30));
  Pass(absl::Seconds(20));
  Beat(7);
  EXPECT_EQ(Pass(absl::Milliseconds(29'999)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(1)),
            (Lines{"close w7: nothing was heard from the worker for its ttl"}));
  EXPECT_EQ(Job(1).pending, 1);
}

TEST_F(CoreWorkersTest, SilenceWhileTheSchedulerWasStoppedIsForgiven) {
  Submit(1, 1);
  Join(7);
  // No tick, although one was due: the process was stopped for an hour.
  now_ += absl::Hours(1);
  EXPECT_EQ(Handle(Tick()), Lines());
  EXPECT_EQ(Pass(absl::Seconds(29)), Lines());
  EXPECT_EQ(Pass(absl::Seconds(1)).size(), 1u);
}

TEST_F(CoreWorkersTest, AWorkerKeepsWhatItStillHolds) {
  JobRecovered recovered;
  recovered.submission = {{1}, 100, 0, {}};
  recovered.done = {{0, 10}};
  Handle(recovered);
  // Of what it offers, 5 to 10 is done, and job 9 is not known.
  EXPECT_EQ(Join(7, 1, {{{1}, {5, 30}}, {{1}, {40, 41}}, {{9}, {0, 5}}}),
            (Lines{"keep w7 l1 j1[10,30)[40,41)", "keep w7 l0 j9"}));
  EXPECT_EQ(Job(1).leased, 21);
  // A frame from before may hold more than what was kept.
  EXPECT_EQ(Arrive(1, 7, 1, 1, {5, 30})[0], "accept f1 j1[10,30)");
}

TEST_F(CoreWorkersTest, WhatIsOfferedAndHeldElsewhereIsACopy) {
  Submit(1, 1);
  Join(7);
  Handle(WorkerLost{{7}, 1, "cut"});
  Join(8);
  EXPECT_EQ(Join(7, 1, {{{1}, {0, 1}}}, 2), (Lines{"keep w7 l3 j1[0,1)"}));
  EXPECT_EQ(Arrive(1, 7, 3, 1, {0, 1}, absl::Seconds(1), 2),
            (Lines{"revoke w8 l2[0,1)", "accept f1 j1[0,1)"}));
}

TEST_F(CoreWorkersTest, ADrainedWorkerGivesBackAndGetsNothing) {
  Submit(1, 10);
  Join(7);
  EXPECT_EQ(Handle(DrainRequested{{7}}), (Lines{"drain w7"}));
  EXPECT_EQ(Handle(DrainRequested{{7}}), Lines());
  EXPECT_EQ(Handle(WorkerDraining{{7}, 1}), Lines());
  EXPECT_EQ(Return(7, 2, {{1, 2}}), Lines());
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}), (Lines{"accept f1 j1[0,1)"}));
  EXPECT_EQ(Why(1),
            "0 of 10 tasks are done, 0 are with workers, 0 failed, 1 are being "
            "written, 9 wait: all workers are draining");
}

TEST_F(CoreWorkersTest, APoisonousTaskKillsThreeProcessesAndNoMore) {
  Submit(1, 4);
  Join(7, 2);
  // Tasks 0 and 1 were running; from now on both run alone.
  EXPECT_EQ(Died(7, 1, {0, 1}), Lines());
  EXPECT_EQ(Job(1).suspect, 2);
  EXPECT_EQ(Join(7, 2, {}, 2), (Lines{"grant w7 l3 j1[0,1) alone"}));
  EXPECT_EQ(Why(1, 1),
            "waits to be run alone, since a process died while it ran");
  // The innocent one is cleared.
  EXPECT_EQ(Arrive(1, 7, 3, 1, {0, 1}, absl::Seconds(1), 2),
            (Lines{"accept f1 j1[0,1)", "grant w7 l4 j1[1,2) alone"}));
  EXPECT_EQ(Died(7, 1, {1}, 2), Lines());
  EXPECT_EQ(Join(7, 2, {}, 3), (Lines{"grant w7 l5 j1[1,2) alone"}));
  EXPECT_EQ(Died(7, 1, {1}, 3),
            (Lines{"poison j1[1,2): 3 processes died while running it; the "
                   "last one: signal 11"}));
  EXPECT_EQ(core_.Failures({1})[0].history.size(), 3u);
  EXPECT_EQ(Join(7, 2, {}, 4),
            (Lines{"grant w7 l6 j1[2,3)", "grant w7 l7 j1[3,4)"}));
}

class CoreOneDeathTest : public CoreTest {
 protected:
  CoreOneDeathTest() : CoreTest({.allowed_deaths = 1}) {}
};

TEST_F(CoreOneDeathTest, WhatWasRevokedMayHaveKilledTheProcessToo) {
  Submit(1, 1);
  Submit(2, 1);
  Join(7, 2);
  Handle(JobCancelled{{2}});
  // Nobody knows what ran: the revoked task, perhaps.
  EXPECT_EQ(Handle(ProcessDied{{7}, 1, "killed", std::nullopt}), Lines());
  EXPECT_EQ(Join(7, 2, {}, 2), (Lines{"grant w7 l3 j1[0,1) alone"}));
  EXPECT_EQ(Handle(ProcessDied{{7}, 2, "killed", std::nullopt})[0],
            "poison j1[0,1): 2 processes died while running it; the last one: "
            "killed");
}

TEST_F(CoreWorkersTest, TheReportOfADeathMayComeAfterTheLoss) {
  Submit(1, 1);
  for (Epoch epoch = 1; epoch <= 3; ++epoch) {
    Join(7, 1, {}, epoch);
    Handle(WorkerLost{{7}, epoch, "connection reset"});
    const Lines lines = Died(7, 1, {0}, epoch);
    EXPECT_EQ(lines.size(), epoch == 3 ? 3u : 0u);
    // Told twice, it counts once.
    EXPECT_EQ(Died(7, 1, {0}, epoch), Lines());
  }
  EXPECT_EQ(Job(1).state, JobState::kCompletedWithFailures);
}

TEST_F(CoreWorkersTest, OnlyTasksThatItHeldCanHaveKilledAProcess) {
  Submit(1, 10);
  Join(7);
  EXPECT_EQ(Died(7, 1, {5, -1, INT64_MAX}), Lines());
  EXPECT_EQ(Job(1).suspect, 0);
  EXPECT_EQ(Died(9, 1, {0}), Lines());
}

TEST_F(CoreWorkersTest, IfNobodyKnowsWhatRanGroupsAreTried) {
  JobRecovered recovered;
  recovered.submission = {{1}, 64, 0, {}};
  Handle(recovered);
  Join(7, 1, {{{1}, {0, 64}}});
  Handle(ProcessDied{{7}, 1, "signal 9", std::nullopt});
  EXPECT_EQ(Job(1).suspect, 64);
  EXPECT_EQ(Join(7, 1, {}, 2), (Lines{"grant w7 l2 j1[0,8) alone"}));
  Handle(ProcessDied{{7}, 2, "signal 9", std::nullopt});
  EXPECT_EQ(Join(7, 1, {}, 3), (Lines{"grant w7 l3 j1[0,1) alone"}));
}

TEST_F(CoreWorkersTest, SuspectsWaitUntilAWorkerIsEmpty) {
  Submit(1, 6);
  Join(7);
  Join(8);
  // Worker 7 dies with task 0; worker 8 is emptied first.
  EXPECT_EQ(Died(7, 1, {0}), Lines());
  EXPECT_EQ(Arrive(1, 8, 3, 1, {5, 6}), (Lines{"accept f1 j1[5,6)"}));
  EXPECT_TRUE(core_.Worker({8})->alone);
  EXPECT_EQ(Arrive(2, 8, 4, 1, {4, 5}),
            (Lines{"accept f2 j1[4,5)", "grant w8 l5 j1[0,1) alone"}));
  EXPECT_EQ(Arrive(3, 8, 5, 1, {0, 1})[0], "accept f3 j1[0,1)");
  EXPECT_FALSE(core_.Worker({8})->alone);
}

TEST_F(CoreWorkersTest, ALostWorkersTasksAreNotSuspect) {
  Submit(1, 1);
  for (Epoch epoch = 1; epoch <= 10; ++epoch) {
    Join(7, 1, {}, epoch);
    Handle(WorkerLost{{7}, epoch, "cut"});
  }
  EXPECT_EQ(Job(1).pending, 1);
}

TEST_F(CoreWorkersTest, AProcessThatIsStuckInATaskIsRestarted) {
  Submit(1, 1, {.task_timeout = absl::Seconds(60)});
  Join(7);
  EXPECT_EQ(Handle(HeartbeatReceived{{7}, 1, {{{1}, 0, absl::Seconds(60)}}}),
            Lines());
  EXPECT_EQ(Handle(HeartbeatReceived{{7}, 1, {{{1}, 0, absl::Seconds(61)}}}),
            (Lines{"restart w7: task 0 of job 1 ran longer than 1m"}));
  EXPECT_EQ(Handle(HeartbeatReceived{{7}, 1, {{{1}, 0, absl::Seconds(66)}}}),
            Lines());
}

}  // namespace
}  // namespace internode::scheduler::core
