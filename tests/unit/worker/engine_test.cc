#include "worker/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tests/unit/worker/engine_testutil.h"

namespace internode::worker {
namespace {

using core::Interval;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

int64_t TasksIn(const std::vector<FrameToSend>& frames) {
  int64_t tasks = 0;
  for (const FrameToSend& frame : frames) tasks += frame.tasks.size();
  return tasks;
}

TEST(EngineTest, RunsALeaseAndFlushesWhenItRunsDry) {
  TestLink link({});
  link.Grant(5, {10, 20});
  ASSERT_TRUE(link.AwaitDone({10, 20}));
  ASSERT_THAT(link.frames, SizeIs(1));
  EXPECT_EQ(link.frames[0].tasks, (Interval{10, 20}));
  EXPECT_EQ(link.frames[0].job, 1u);
  EXPECT_EQ(link.frames[0].lease, 5u);
  EXPECT_EQ(link.frames[0].sequence, 1u);
  EXPECT_GT(link.frames[0].busy, absl::ZeroDuration());
  ExpectRightBytes(link.frames);
  EXPECT_THAT(link.script().runs(),
              ElementsAre(10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
  EXPECT_EQ(link.engine().load().tasks_done, 10);
}

TEST(EngineTest, RunsLeasesInTheirOrderAndFrontOnesFirst) {
  TestLink link({});
  link.script().Hold(0);
  link.Grant(1, {0, 1});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  link.Grant(2, {10, 12});
  link.Grant({.job = 1,
              .lease = 3,
              .tasks = {20, 22},
              .request = nullptr,
              .front = true,
              .alone = false});
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({10, 12}));
  EXPECT_THAT(link.script().runs(), ElementsAre(0, 20, 21, 10, 11));
  EXPECT_EQ(link.script().num_opens(), 1);
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, SlotsShareALease) {
  TestLink link({.slots = 2});
  link.script().Hold(0);
  link.Grant(1, {0, 100});
  // The other slot takes everything but what is held.
  ASSERT_TRUE(link.AwaitDone({1, 100}));
  EXPECT_FALSE(link.done.Contains(0));
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({0, 100}));
  EXPECT_EQ(TasksIn(link.frames), 100);
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, ClosesAFrameAtItsSize) {
  EngineOptions options;
  options.frame_bytes = 1000;
  TestLink link({.options = options});
  link.Grant(1, {0, 1000});
  ASSERT_TRUE(link.AwaitDone({0, 1000}));
  EXPECT_GT(link.frames.size(), 5u);
  for (const FrameToSend& frame : link.frames) {
    EXPECT_LT(frame.bytes->size(), 1100u);
  }
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, ALongTaskDoesNotKeepEarlierResults) {
  TestLink link({});
  link.script().Hold(5);
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 5}));
  EXPECT_THAT(link.engine().load().running, SizeIs(1));
  EXPECT_EQ(link.engine().load().running[0].task, 5);
  link.script().Release(5);
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, TasksRunAloneHaveFramesOfTheirOwn) {
  TestLink link({.slots = 2});
  link.Grant({.job = 1,
              .lease = 1,
              .tasks = {0, 4},
              .request = link.request(),
              .front = false,
              .alone = true});
  ASSERT_TRUE(link.AwaitDone({0, 4}));
  EXPECT_THAT(link.frames, SizeIs(4));
  // One after the other: a death then has one cause.
  EXPECT_THAT(link.script().runs(), ElementsAre(0, 1, 2, 3));
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, GivesBackWhatIsNotStarted) {
  TestLink link({});
  link.script().Hold(0);
  link.Grant(1, {0, 100});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  link.engine().Handle(TakeBack{1, 1, {50, 200}});
  ASSERT_TRUE(link.AwaitReturned(1));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 1, {{50, 100}}}));
  link.engine().Handle(TakeBack{1, 1, {0, 10}});
  ASSERT_TRUE(link.AwaitReturned(2));
  EXPECT_EQ(link.returned[1], (LeaseReturned{1, 1, {{1, 10}}}));
  // An unknown lease is answered too.
  link.engine().Handle(TakeBack{1, 99, {0, 10}});
  ASSERT_TRUE(link.AwaitReturned(3));
  EXPECT_EQ(link.returned[2], (LeaseReturned{1, 99, {}}));
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({10, 50}));
  EXPECT_EQ(link.done.size(), 41);
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, DropsRevokedTasksAlsoThoseThatRun) {
  TestLink link({});
  link.script().Hold(3);
  link.Grant(1, {3, 100});
  ASSERT_TRUE(link.script().AwaitHeld(3));
  link.engine().Handle(Revoke{1, 1, {{3, 4}, {10, 90}}});
  link.script().Release(3);
  ASSERT_TRUE(link.AwaitDone({90, 100}));
  ASSERT_TRUE(link.AwaitDone({4, 10}));
  EXPECT_EQ(link.done.size(), 16);
  EXPECT_FALSE(link.done.Contains(3));
  ExpectRightBytes(link.frames);
  EXPECT_THAT(link.returned, IsEmpty());
}

TEST(EngineTest, ARevokedTaskThatFailsIsNotReported) {
  TestLink link({});
  link.script().Hold(3);
  link.script().Fail(3, absl::InternalError("boom"));
  link.Grant(1, {3, 5});
  ASSERT_TRUE(link.script().AwaitHeld(3));
  link.engine().Handle(Revoke{1, 1, {{3, 4}}});
  link.script().Release(3);
  ASSERT_TRUE(link.AwaitDone({4, 5}));
  EXPECT_THAT(link.failed, IsEmpty());
}

TEST(EngineTest, FailedTasksAreToldWithTheirPlace) {
  TestLink link({});
  link.script().Fail(4, absl::DataLossError("'a.nc': variable 'blue' is cut"));
  link.script().Fail(6, absl::UnavailableError("stale file handle"));
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({7, 10}));
  ASSERT_THAT(link.failed, SizeIs(2));
  EXPECT_EQ(
      link.failed[0],
      (TasksFailed{
          1, 1, {4, 5}, "'a.nc': variable 'blue' is cut, in i=4", false}));
  EXPECT_EQ(link.failed[1],
            (TasksFailed{1, 1, {6, 7}, "stale file handle, in i=6", true}));
  EXPECT_EQ(link.done.size(), 8);
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, SaysWhetherAnotherTryMayHelp) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kDataLoss,
        absl::StatusCode::kInternal, absl::StatusCode::kOutOfRange}) {
    TestLink link({});
    link.script().Fail(0, absl::Status(code, "m"));
    link.Grant(1, {0, 1});
    ASSERT_TRUE(
        link.Await([](const TestLink& l) { return !l.failed.empty(); }));
    EXPECT_FALSE(link.failed[0].retryable) << absl::StatusCodeToString(code);
  }
  for (const absl::StatusCode code :
       {absl::StatusCode::kNotFound, absl::StatusCode::kUnavailable,
        absl::StatusCode::kPermissionDenied,
        absl::StatusCode::kResourceExhausted,
        absl::StatusCode::kFailedPrecondition}) {
    TestLink link({});
    link.script().Fail(0, absl::Status(code, "m"));
    link.Grant(1, {0, 1});
    ASSERT_TRUE(
        link.Await([](const TestLink& l) { return !l.failed.empty(); }));
    EXPECT_TRUE(link.failed[0].retryable) << absl::StatusCodeToString(code);
  }
}

TEST(EngineTest, AJobThatCannotBeOpenedFailsItsLeasesRetryably) {
  TestLink link({});
  link.script().FailOpen(absl::NotFoundError("no such file"));
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.failed.empty(); }));
  EXPECT_EQ(link.failed[0], (TasksFailed{1, 1, {0, 10}, "no such file", true}));
  // The next lease tries again, without a plan of its own.
  link.script().FailOpen(absl::OkStatus());
  link.Grant({.job = 1,
              .lease = 2,
              .tasks = {0, 10},
              .request = nullptr,
              .front = false,
              .alone = false});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
}

TEST(EngineTest, ALeaseOfAnUnknownJobWithoutAPlanFails) {
  TestLink link({});
  link.Grant({.job = 3,
              .lease = 1,
              .tasks = {0, 10},
              .request = nullptr,
              .front = false,
              .alone = false});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.failed.empty(); }));
  EXPECT_TRUE(link.failed[0].retryable);
  EXPECT_EQ(link.failed[0].tasks, (Interval{0, 10}));
}

TEST(EngineTest, TasksThatTheJobDoesNotHaveFail) {
  TestLink link({.num_tasks = 5});
  link.Grant(1, {3, 7});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.failed.size() == 2; }));
  EXPECT_THAT(link.failed[0].message, HasSubstr("no task 5; it has 5"));
  ASSERT_TRUE(link.AwaitDone({3, 5}));
}

}  // namespace
}  // namespace internode::worker
