#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/unit/scheduler/core/core_driver.h"

namespace internode::scheduler::core {
namespace {

using CoreJobsTest = CoreTest;

TEST_F(CoreJobsTest, AJobRunsFromSubmissionToItsEnd) {
  EXPECT_EQ(Submit(1, 3), (Lines{"persist j1 queued"}));
  // One task for the slot, one beyond, so that the worker never waits.
  EXPECT_EQ(Join(7), (Lines{"notify j1 running", "grant w7 l1 j1[0,1)",
                            "grant w7 l2 j1[1,2)"}));
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}),
            (Lines{"accept f1 j1[0,1)", "grant w7 l3 j1[2,3)"}));
  EXPECT_EQ(Job(1).committing, 1);
  EXPECT_EQ(Commit(1), (Lines{"ack f1"}));
  EXPECT_EQ(Arrive(2, 7, 2, 1, {1, 2}), (Lines{"accept f2 j1[1,2)"}));
  EXPECT_EQ(Arrive(3, 7, 3, 1, {2, 3}), (Lines{"accept f3 j1[2,3)"}));
  EXPECT_EQ(Commit(3), (Lines{"ack f3"}));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  EXPECT_EQ(Commit(2),
            (Lines{"ack f2", "persist j1 completed", "notify j1 completed"}));
  EXPECT_EQ(Job(1).done, 3);
}

TEST_F(CoreJobsTest, AJobWithoutTasksIsComplete) {
  EXPECT_EQ(Submit(1, 0), (Lines{"persist j1 queued", "persist j1 completed",
                                 "notify j1 completed"}));
}

TEST_F(CoreJobsTest, ImpossibleJobsAreRejected) {
  EXPECT_EQ(Submit(1, -1), (Lines{"reject j1: job has -1 tasks; a job has 0 to "
                                  "9007199254740992 tasks"}));
  EXPECT_EQ(Submit(1, INT64_MAX).size(), 1u);
  EXPECT_EQ(Submit(0, 1), (Lines{"reject j0: job id 0 is 0 or in use"}));
  Submit(1, 1);
  EXPECT_EQ(Submit(1, 1), (Lines{"reject j1: job id 1 is 0 or in use"}));
}

TEST_F(CoreJobsTest, AHugeJobCostsWhatASmallOneCosts) {
  EXPECT_EQ(Submit(1, kMostTasks), (Lines{"persist j1 queued"}));
  EXPECT_EQ(Job(1).pending, kMostTasks);
}

TEST_F(CoreJobsTest, CancellingFreesTheWorkersAtOnce) {
  Submit(1, 10);
  Join(7);
  Submit(2, 10);
  EXPECT_EQ(
      Handle(JobCancelled{{1}}),
      (Lines{"revoke w7 l1[0,1)", "revoke w7 l2[1,2)", "persist j1 cancelled",
             "notify j1 cancelled", "notify j2 running", "grant w7 l3 j2[0,1)",
             "grant w7 l4 j2[1,2)"}));
  // What comes late is dropped; cancelling again changes nothing.
  EXPECT_EQ(Arrive(1, 7, 1, 1, {0, 1}), (Lines{"drop f1: no such job"}));
  EXPECT_EQ(Handle(JobCancelled{{1}}), Lines());
  EXPECT_EQ(Handle(TasksRetried{{1}}), Lines());
}

TEST_F(CoreJobsTest, FramesUnderWayWhenAJobIsCancelledAreStillAcknowledged) {
  Submit(1, 2);
  Join(7);
  Arrive(1, 7, 1, 1, {0, 1});
  Handle(JobCancelled{{1}});
  EXPECT_EQ(Commit(1), (Lines{"ack f1"}));
  EXPECT_EQ(Job(1).state, JobState::kCancelled);
  EXPECT_EQ(Job(1).done, 1);
}

TEST_F(CoreJobsTest, ForgettingErasesAllTraces) {
  Submit(1, 5);
  Join(7);
  Arrive(1, 7, 1, 1, {0, 1});
  EXPECT_EQ(Handle(JobForgotten{{1}}),
            (Lines{"revoke w7 l2[1,2)", "revoke w7 l3[2,3)", "erase j1"}));
  EXPECT_FALSE(core_.Job({1}).has_value());
  EXPECT_EQ(Commit(1), (Lines{"ack f1"}));
  EXPECT_EQ(Arrive(2, 7, 2, 1, {1, 2}), (Lines{"drop f2: no such job"}));
  EXPECT_EQ(Why(1), "there is no such job");
}

TEST_F(CoreJobsTest, AFailFastJobStopsAtItsFirstFailure) {
  Submit(1, 10, {.max_failed_tasks = 0});
  Join(7);
  EXPECT_EQ(FailTasks(7, 1, {0, 1}, false),
            (Lines{"fail j1[0,1): no data", "revoke w7 l2[1,2)",
                   "persist j1 failed: 1 tasks failed; the job allows 0",
                   "notify j1 failed"}));
  EXPECT_EQ(Job(1).pending, 9);
  EXPECT_EQ(Why(1), "the job failed: 1 tasks failed; the job allows 0");
  EXPECT_EQ(core_.Explain({1}, 5).state, TaskState::kAbandoned);
}

TEST_F(CoreJobsTest, FailedTasksCanBeRunAgain) {
  Submit(1, 2);
  Join(7);
  FailTasks(7, 1, {0, 1}, false);
  Arrive(1, 7, 2, 1, {1, 2});
  EXPECT_EQ(Commit(1), (Lines{"ack f1", "persist j1 completed with failures",
                              "notify j1 completed with failures"}));
  EXPECT_EQ(
      Handle(TasksRetried{{1}}),
      (Lines{"persist retry j1", "notify j1 running", "grant w7 l3 j1[0,1)"}));
  Arrive(2, 7, 3, 1, {0, 1});
  EXPECT_EQ(Commit(2),
            (Lines{"ack f2", "persist j1 completed", "notify j1 completed"}));
}

TEST_F(CoreJobsTest, AnAbortedJobFailsWithTheReason) {
  Submit(1, 2);
  EXPECT_EQ(
      Handle(JobAborted{{1}, "spool file is gone"}),
      (Lines{"persist j1 failed: spool file is gone", "notify j1 failed"}));
}

TEST_F(CoreJobsTest, HigherPrioritiesGoFirst) {
  Submit(1, 100, {}, 0);
  Submit(2, 100, {}, 5);
  EXPECT_EQ(Join(7), (Lines{"notify j2 running", "grant w7 l1 j2[0,1)",
                            "grant w7 l2 j2[1,2)"}));
  // One that is more important still goes before what has not started.
  Submit(3, 1, {}, 9);
  EXPECT_EQ(Arrive(1, 7, 1, 2, {0, 1}),
            (Lines{"accept f1 j2[0,1)", "notify j3 running",
                   "grant w7 l3 j3[0,1) front"}));
}

TEST_F(CoreJobsTest, EqualJobsShareEqually) {
  Submit(1, 10'000);
  Submit(2, 10'000);
  Join(7);
  uint64_t frame = 0;
  for (int i = 0; i < 100; ++i) {
    // The worker runs what it has, one task after another, of 1 s each.
    for (const uint64_t job : {1U, 2U}) {
      const IntervalSet held = Held(job);
      if (held.empty()) continue;
      const int64_t task = held.First()->begin;
      Arrive(++frame, 7, 0, job, {task, task + 1});
      Commit(frame);
    }
  }
  const int64_t difference = Job(1).done - Job(2).done;
  EXPECT_LE(std::abs(difference), 4);
  EXPECT_GT(Job(1).done, 50);
}

TEST_F(CoreJobsTest, ASmallJobDoesNotWaitForAHugeOne) {
  Submit(1, 1'000'000);
  Join(7);
  Arrive(1, 7, 1, 1, {0, 1}, absl::Milliseconds(1));
  // All slots are taken, and the worker has enough to do; the newcomer's first
  // tasks go before what has not started.
  EXPECT_EQ(Submit(2, 1), (Lines{"persist j2 queued", "notify j2 running",
                                 "grant w7 l6 j2[0,1) front"}));
}

TEST_F(CoreJobsTest, ExplainsWhyAJobWaits) {
  Submit(1, 5);
  EXPECT_EQ(Why(1),
            "0 of 5 tasks are done, 0 are with workers, 0 failed, 5 wait: no "
            "worker is connected");
  Handle(SpoolBlocked{"disk full"});
  EXPECT_EQ(Why(1, 3), "waits: no task is given out: disk full");
  EXPECT_EQ(Why(1, 5), "the job has tasks 0 to 4; there is no task 5");
}

TEST_F(CoreJobsTest, ARecoveredJobGoesOnWithWhatIsMissing) {
  JobRecovered recovered;
  recovered.submission = {{1}, 10, 0, {}};
  recovered.state = JobState::kQueued;
  recovered.done = {{0, 4}, {6, 9}, {9, 50}, {-5, 1}};
  recovered.failures = {
      {{4, 5}, TaskFailure::Kind::kError, "no data", {7}, {}}};
  EXPECT_EQ(Handle(recovered), Lines());
  EXPECT_EQ(Job(1).done, 8);
  EXPECT_EQ(Job(1).failed, 1);
  EXPECT_EQ(Join(7), (Lines{"grant w7 l1 j1[5,6)"}));
  Arrive(1, 7, 1, 1, {5, 6});
  EXPECT_EQ(Commit(1), (Lines{"ack f1", "persist j1 completed with failures",
                              "notify j1 completed with failures"}));
  EXPECT_EQ(core_.Failures({1}).size(), 1u);
}

TEST_F(CoreJobsTest, OnlyItsFramesSayThatAJobIsComplete) {
  JobRecovered recovered;
  recovered.submission = {{1}, 10, 0, {}};
  recovered.state = JobState::kCompleted;
  recovered.done = {{0, 9}};
  Handle(recovered);
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  recovered.submission.job = {2};
  recovered.done = {{0, 10}};
  Handle(recovered);
  EXPECT_EQ(Job(2).state, JobState::kCompleted);
  recovered.submission.job = {3};
  recovered.state = JobState::kRunning;
  EXPECT_EQ(Handle(recovered),
            (Lines{"persist j3 completed", "notify j3 completed"}));
}

}  // namespace
}  // namespace internode::scheduler::core
