#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/scheduler/core/core_driver.h"

namespace internode::scheduler::core {
namespace {

using CoreFramesTest = CoreTest;

TEST_F(CoreFramesTest, ATaskIsAcceptedOnce) {
  Submit(1, 3);
  Join(7);
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}),
            (Lines{"accept f1 j1[0,1)", "grant w7 l3 j1[2,3)"}));
  EXPECT_EQ(Arrive(2, 7, 1, 1, {0, 1}), (Lines{"drop f2: not needed"}));
  Commit(1);
  EXPECT_EQ(Arrive(3, 7, 1, 1, {0, 1}), (Lines{"drop f3: not needed"}));
  EXPECT_EQ(Commit(1), Lines());
}

TEST_F(CoreFramesTest, OfAFrameOnlyWhatIsNewCounts) {
  Submit(1, 10);
  Join(7);
  Arrive(1, 7, 2, 1, {1, 2});
  Handle(WorkerLost{{7}, 1, "cut"});
  // It ran more than the scheduler remembers.
  EXPECT_EQ(Arrive(2, 7, 1, 1, {0, 4}), (Lines{"accept f2 j1[0,1)[2,4)"}));
  EXPECT_EQ(Job(1).pending, 6);
}

TEST_F(CoreFramesTest, AFrameThatWasGivenUpIsRunAgain) {
  Submit(1, 1);
  Join(7);
  Arrive(1, 7, 1, 1, {0, 1});
  EXPECT_EQ(Handle(FrameLost{{1}}), (Lines{"grant w7 l2 j1[0,1)"}));
  EXPECT_EQ(Commit(1), Lines());
  EXPECT_EQ(Arrive(2, 7, 2, 1, {0, 1}), (Lines{"accept f2 j1[0,1)"}));
}

TEST_F(CoreFramesTest, ALiarIsSentAway) {
  Submit(1, 10);
  Join(7);
  Join(8);
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 11}),
            (Lines{"drop f1: invalid",
                   "close w7: frame for tasks 0 to 11; job 1 has 10 tasks"}));
  EXPECT_EQ(Arrive(2, 8, 3, 1, {5, 6}),
            (Lines{"drop f2: invalid",
                   "close w8: frame for tasks 5 to 6, which are not in lease "
                   "3"}));
  Join(9);
  EXPECT_EQ(Arrive(3, 9, 99, 1, {0, 1}),
            (Lines{"drop f3: invalid",
                   "close w9: frame for lease 99, which was never granted"}));
  for (const Interval tasks : {Interval{-1, 1}, Interval{5, 5}, Interval{6, 2},
                               Interval{INT64_MIN, INT64_MAX}}) {
    EXPECT_EQ(Arrive(4, 9, 5, 1, tasks), (Lines{"drop f4: invalid"}));
  }
  EXPECT_EQ(Job(1).pending, 10);
}

TEST_F(CoreFramesTest, ALateResultIsAsGoodAsAny) {
  Submit(1, 1);
  Join(7);
  Handle(WorkerLost{{7}, 1, "cut"});
  EXPECT_EQ(Join(8), (Lines{"grant w8 l2 j1[0,1)"}));
  // The first one is there after all; the second one is told to stop.
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}),
            (Lines{"revoke w8 l2[0,1)", "accept f1 j1[0,1)"}));
  EXPECT_EQ(Arrive(2, 8, 2, 1, {0, 1}), (Lines{"drop f2: not needed"}));
}

TEST_F(CoreFramesTest, ATaskIsTriedElsewhereUpToItsLimit) {
  Submit(1, 1, {.max_retries = 1});
  Join(7);
  Join(8);
  EXPECT_EQ(FailTasks(7, 1, {0, 1}, true), (Lines{"grant w8 l2 j1[0,1)"}));
  EXPECT_EQ(Why(1, 0), "with worker 8 for 0");
  EXPECT_EQ(core_.Explain({1}, 0).history.size(), 1u);
  EXPECT_EQ(FailTasks(8, 2, {0, 1}, true, "still no data"),
            (Lines{"fail j1[0,1): still no data",
                   "persist j1 completed with failures",
                   "notify j1 completed with failures"}));
  const TaskFailure failure = core_.Failures({1})[0];
  EXPECT_EQ(failure.worker, WorkerId{8});
  EXPECT_EQ(failure.history[0].message, "no data");
  EXPECT_EQ(failure.history[0].worker, WorkerId{7});
}

TEST_F(CoreFramesTest, ATaskDoesNotWaitForeverForAnotherWorker) {
  Submit(1, 2);
  Join(7);
  Join(8);
  // Worker 8 has the other task, and takes no more.
  Handle(WorkerPaused{{8}, 1});
  EXPECT_EQ(FailTasks(7, 1, {0, 1}, true), Lines());
  EXPECT_EQ(Why(1, 0), "waits for another try");
  EXPECT_EQ(Pass(absl::Milliseconds(4900)), Lines());
  EXPECT_EQ(Pass(absl::Milliseconds(100)), (Lines{"grant w7 l3 j1[0,1)"}));
}

TEST_F(CoreFramesTest, TheOnlyWorkerTriesAgainAtOnce) {
  Submit(1, 1);
  Join(7);
  EXPECT_EQ(FailTasks(7, 1, {0, 1}, true), (Lines{"grant w7 l2 j1[0,1)"}));
}

TEST_F(CoreFramesTest, ManyTasksCanFailAtOnce) {
  JobRecovered recovered;
  recovered.submission = {{1}, 1000, 0, {}};
  Handle(recovered);
  Join(7, 4, {{{1}, {0, 1000}}});
  EXPECT_EQ(
      FailTasks(7, 1, {0, 1000}, false),
      (Lines{"fail j1[0,1000): no data", "persist j1 completed with failures",
             "notify j1 completed with failures"}));
}

TEST_F(CoreFramesTest, FailuresOfTasksThatAreNotHeldChangeNothing) {
  Submit(1, 10);
  Join(7);
  Join(8);
  EXPECT_EQ(FailTasks(7, 1, {5, 6}, false), Lines());
  EXPECT_EQ(FailTasks(8, 1, {0, 1}, false), Lines());
  EXPECT_EQ(FailTasks(9, 1, {0, 1}, false), Lines());
  EXPECT_EQ(Handle(TaskFailed{{7}, 2, {1}, {0, 1}, false, "old"}), Lines());
  EXPECT_EQ(Job(1).failed, 0);
}

TEST_F(CoreFramesTest, AFullSpoolStopsLeasesAndNothingElse) {
  Submit(1, 10);
  EXPECT_EQ(Handle(SpoolBlocked{"disk full"}), Lines());
  EXPECT_EQ(Join(7), Lines());
  EXPECT_EQ(core_.Cluster().spool_blocked, "disk full");
  EXPECT_EQ(Handle(SpoolResumed{}),
            (Lines{"notify j1 running", "grant w7 l1 j1[0,1)",
                   "grant w7 l2 j1[1,2)"}));
}

TEST_F(CoreFramesTest, APausedWorkerGetsNothingNew) {
  Submit(1, 10);
  Join(7);
  Handle(WorkerPaused{{7}, 1});
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}), (Lines{"accept f1 j1[0,1)"}));
  EXPECT_EQ(Handle(WorkerResumed{{7}, 1}).size(), 1u);
}

}  // namespace
}  // namespace internode::scheduler::core
