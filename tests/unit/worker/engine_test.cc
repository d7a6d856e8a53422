#include "worker/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

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
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return !l.returned.empty(); }));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 1, {{50, 100}}}));
  link.engine().Handle(TakeBack{1, 1, {0, 10}});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.returned.size() == 2; }));
  EXPECT_EQ(link.returned[1], (LeaseReturned{1, 1, {{1, 10}}}));
  // An unknown lease is answered too.
  link.engine().Handle(TakeBack{1, 99, {0, 10}});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.returned.size() == 3; }));
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

// ---- back-pressure ----

TEST(EngineTest, SendsNoMoreThanTheWindow) {
  EngineOptions options;
  options.frame_bytes = 1000;
  TestLink link(
      {.options = options, .window_bytes = 3000, .acknowledge = false});
  link.Grant(1, {0, 1000});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.frames.empty(); }));
  // Everything has run when the lease after it has.
  while (link.engine().load().tasks_done < 1000) std::this_thread::yield();
  link.Await([](const TestLink&) { return true; });
  int64_t sent = 0;
  for (const FrameToSend& frame : link.frames) {
    sent += static_cast<int64_t>(frame.bytes->size());
  }
  EXPECT_LE(sent, 3000);
  EXPECT_GT(link.engine().load().held_bytes, sent);
  uint64_t acknowledged = 0;
  ASSERT_TRUE(link.Await([&](const TestLink& l) {
    if (!l.frames.empty() && l.frames.back().sequence > acknowledged) {
      acknowledged = l.frames.back().sequence;
      link.engine().Acknowledge(acknowledged);
    }
    return l.done.size() == 1000;
  }));
  link.engine().Acknowledge(link.frames.back().sequence);
  EXPECT_EQ(link.engine().load().held_bytes, 0);
  for (size_t i = 0; i < link.frames.size(); ++i) {
    EXPECT_EQ(link.frames[i].sequence, i + 1);
  }
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, AFrameLargerThanTheWindowIsSentByItself) {
  TestLink link({.window_bytes = 1});
  link.Grant(1, {0, 100});
  ASSERT_TRUE(link.AwaitDone({0, 100}));
}

TEST(EngineTest, PausesWhenItsBufferFillsAndWaitsWhenItIsFull) {
  EngineOptions options;
  options.frame_bytes = 200;
  options.buffer_bytes = 8000;
  TestLink link({.slots = 2,
                 .num_tasks = 100'000,
                 .options = options,
                 .acknowledge = false});
  link.Grant(1, {0, 100'000});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return l.states == "P"; }));
  ASSERT_TRUE(link.Await([&](const TestLink&) {
    return link.engine().load().held_bytes >= 8000;
  }));
  // Each slot may have added one frame when it became full.
  EXPECT_LE(link.engine().load().held_bytes, 8000 + 2 * 1000);
  EXPECT_LT(link.engine().load().tasks_done, 10'000);
  uint64_t acknowledged = 0;
  ASSERT_TRUE(link.Await([&](const TestLink& l) {
    if (!l.frames.empty() && l.frames.back().sequence > acknowledged) {
      acknowledged = l.frames.back().sequence;
      link.engine().Acknowledge(acknowledged);
    }
    return l.done.size() == 100'000;
  }));
  EXPECT_THAT(link.states, testing::StartsWith("PR"));
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, APauseIsToldToTheNextConnectionToo) {
  EngineOptions options;
  options.frame_bytes = 200;
  options.buffer_bytes = 8000;
  TestLink link(
      {.num_tasks = 100'000, .options = options, .acknowledge = false});
  link.Grant(1, {0, 100'000});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return l.states == "P"; }));
  link.Reconnect();
  ASSERT_TRUE(link.Await([](const TestLink& l) { return l.states == "PP"; }));
}

// ---- connections ----

TEST(EngineTest, OffersWhatWasNotAcknowledgedAndWhatRuns) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.script().Hold(22);
  link.Grant(2, {20, 30});
  ASSERT_TRUE(link.AwaitDone({20, 22}));
  ASSERT_TRUE(link.script().AwaitHeld(22));
  link.frames.clear();
  link.done.Clear();
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{0, 10}, {20, 23}}}));
  // Nothing is sent before the answer, and what was not started is not run.
  link.Await([](const TestLink&) { return true; });
  EXPECT_THAT(link.frames, IsEmpty());
  link.engine().Handle(OfferAnswer{1, 7, {{4, 6}, {21, 23}}, link.request()});
  link.script().Release(22);
  ASSERT_TRUE(link.AwaitDone({4, 6}));
  ASSERT_TRUE(link.AwaitDone({21, 23}));
  EXPECT_EQ(link.done.size(), 4);
  for (const FrameToSend& frame : link.frames) EXPECT_EQ(frame.lease, 7u);
  EXPECT_EQ(link.frames[0].sequence, 1u);
  ExpectRightBytes(link.frames);
  EXPECT_THAT(link.script().runs(), SizeIs(13));
  EXPECT_THAT(link.returned, IsEmpty());
}

TEST(EngineTest, WorksOnWithoutAConnection) {
  TestLink link({});
  link.script().Hold(0);
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  link.engine().Disconnected();
  link.script().Release(0);
  while (link.engine().load().held_bytes == 0) std::this_thread::yield();
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{0, 10}}}));
  link.engine().Handle(OfferAnswer{1, 2, {{0, 10}}, link.request()});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  EXPECT_EQ(link.frames[0].lease, 2u);
}

TEST(EngineTest, ATaskThatFailsWhileItIsOfferedIsToldUnderTheNewLease) {
  TestLink link({});
  link.script().Hold(3);
  link.script().Fail(3, absl::DataLossError("cut"));
  link.Grant(1, {3, 5});
  ASSERT_TRUE(link.script().AwaitHeld(3));
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{3, 4}}}));
  link.script().Release(3);
  while (link.engine().load().tasks_done == 0) std::this_thread::yield();
  link.engine().Handle(OfferAnswer{1, 9, {{3, 4}}, link.request()});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.failed.empty(); }));
  EXPECT_EQ(link.failed[0], (TasksFailed{1, 9, {3, 4}, "cut, in i=3", false}));
}

TEST(EngineTest, GivesBackWhatIsWantedOfAnOfferButNotHeld) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.Reconnect();
  link.engine().Handle(OfferAnswer{1, 2, {{5, 15}}, link.request()});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return !l.returned.empty(); }));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 2, {{10, 15}}}));
}

TEST(EngineTest, DropsWhatItHoldsOfAnotherSchedulersJob) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.Reconnect();
  link.engine().Handle(OfferAnswer{1, 2, {{0, 10}}, link.request(8)});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return !l.returned.empty(); }));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 2, {{0, 10}}}));
  EXPECT_EQ(link.engine().load().held_bytes, 0);
}

TEST(EngineTest, AJobOfTheSameNumberAndAnotherPlanIsOpenedAnew) {
  TestLink link({});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.Grant({.job = 1,
              .lease = 2,
              .tasks = {0, 10},
              .request = link.request(8),
              .front = false,
              .alone = false});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.frames.size() > 1; }));
  EXPECT_EQ(link.script().num_opens(), 2);
}

TEST(EngineTest, OffersAgainAfterASecondBreak) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{0, 10}}}));
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{0, 10}}}));
  link.engine().Handle(OfferAnswer{1, 2, {{0, 10}}, link.request()});
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.frames.size() == 2; }));
  EXPECT_EQ(*link.frames[0].bytes, *link.frames[1].bytes);
}

TEST(EngineTest, AcknowledgementsAreCumulativeAndLyingOnesHarmless) {
  EngineOptions options;
  options.frame_bytes = 500;
  TestLink link({.options = options, .acknowledge = false});
  link.Grant(1, {0, 200});
  ASSERT_TRUE(link.AwaitDone({0, 200}));
  ASSERT_GT(link.frames.size(), 3u);
  link.engine().Acknowledge(2);
  const std::vector<Offer> offers = link.Reconnect();
  ASSERT_THAT(offers, SizeIs(1));
  EXPECT_EQ(offers[0].tasks[0].begin, link.frames[2].tasks.begin);
  link.engine().Acknowledge(1'000'000);
  EXPECT_EQ(link.Reconnect(), offers);
}

TEST(EngineTest, ForgetsAJob) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.script().Hold(20);
  link.Grant(2, {20, 30});
  ASSERT_TRUE(link.script().AwaitHeld(20));
  link.engine().ForgetJob(1);
  EXPECT_EQ(link.engine().load().held_bytes, 0);
  link.script().Release(20);
  link.Grant(3, {0, 1}, 2);
  ASSERT_TRUE(
      link.Await([](const TestLink& l) { return l.frames.back().job == 2; }));
  EXPECT_THAT(link.frames, SizeIs(2));
  EXPECT_THAT(link.script().runs(), SizeIs(12));
  link.engine().ForgetJob(99);
}

// ---- draining ----

TEST(EngineTest, DrainsWhatRunsAndGivesTheRestBack) {
  TestLink link({.acknowledge = false});
  link.script().Hold(2);
  link.Grant(1, {0, 10});
  link.Grant(2, {20, 30});
  ASSERT_TRUE(link.script().AwaitHeld(2));
  link.engine().Drain("because");
  ASSERT_TRUE(link.Await([](const TestLink& l) { return l.states == "D"; }));
  core::IntervalSet first;
  core::IntervalSet second;
  for (const LeaseReturned& returned : link.returned) {
    for (const Interval& run : returned.tasks) {
      (returned.lease == 1 ? first : second).Add(run);
    }
  }
  EXPECT_EQ(first.intervals(), (std::vector<Interval>{{3, 10}}));
  EXPECT_EQ(second.intervals(), (std::vector<Interval>{{20, 30}}));
  EXPECT_FALSE(link.engine().drained());
  // What comes too late is given back too.
  link.Grant(3, {40, 50});
  ASSERT_TRUE(link.Await(
      [](const TestLink& l) { return l.returned.back().lease == 3; }));
  link.script().Release(2);
  ASSERT_TRUE(link.AwaitDone({0, 3}));
  EXPECT_FALSE(link.engine().drained());
  link.engine().Acknowledge(link.frames.back().sequence);
  ASSERT_TRUE(link.AwaitDrained());
  ExpectRightBytes(link.frames);
}

TEST(EngineTest, AnIdleEngineDrainsAtOnce) {
  TestLink link({});
  link.engine().Drain("because");
  ASSERT_TRUE(link.AwaitDrained());
  EXPECT_EQ(link.states, "D");
}

TEST(EngineTest, DrainingIsToldToTheNextConnectionToo) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.engine().Drain("because");
  EXPECT_THAT(link.Reconnect(), SizeIs(1));
  link.Await([](const TestLink&) { return true; });
  EXPECT_THAT(link.states, testing::EndsWith("D"));
  EXPECT_FALSE(link.engine().drained());
  link.engine().Handle(OfferAnswer{1, 2, {}, nullptr});
  ASSERT_TRUE(link.AwaitDrained());
}

// ---- everything at once ----

// Leases, take-backs, revocations and broken connections at random: at the end
// every task that the scheduler still wants has come, with the right bytes.
class EngineStressTest : public testing::TestWithParam<int> {};

TEST_P(EngineStressTest, LosesNothing) {
  constexpr int64_t kTasks = 20'000;
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  EngineOptions options;
  options.frame_bytes = 2000;
  options.buffer_bytes = 100'000;
  TestLink link({.slots = 3,
                 .num_tasks = kTasks,
                 .reads = GetParam() % 2 == 0,
                 .options = options,
                 .window_bytes = 20'000,
                 .acknowledge = false});
  // As the scheduler sees it.
  core::IntervalSet pending({0, kTasks});
  core::IntervalSet acknowledged;
  std::map<LeaseId, core::IntervalSet> leases;
  LeaseId last_lease = 0;
  size_t seen_frames = 0;
  size_t seen_returns = 0;
  const auto take = [&] {
    for (; seen_frames < link.frames.size(); ++seen_frames) {
      const FrameToSend& frame = link.frames[seen_frames];
      ASSERT_EQ(*frame.bytes, ExpectedFrame(frame.tasks));
      acknowledged.Add(frame.tasks);
      pending.Remove(frame.tasks);
      leases[frame.lease].Remove(frame.tasks);
      if (random() % 4 == 0) link.engine().Acknowledge(frame.sequence);
    }
    if (!link.frames.empty()) {
      link.engine().Acknowledge(link.frames.back().sequence);
    }
    for (; seen_returns < link.returned.size(); ++seen_returns) {
      const LeaseReturned& returned = link.returned[seen_returns];
      for (const Interval& run : returned.tasks) {
        ASSERT_TRUE(leases[returned.lease].ContainsAll(run));
        leases[returned.lease].Remove(run);
        pending.Add(run);
      }
    }
  };
  const auto reconnect = [&] {
    link.Await([](const TestLink&) { return true; });
    take();
    const std::vector<Offer> offers = link.Reconnect();
    seen_returns = link.returned.size();
    core::IntervalSet wanted;
    for (const auto& [lease, tasks] : leases) pending.Add(tasks);
    leases.clear();
    for (const Offer& offer : offers) {
      for (const Interval& run : offer.tasks) {
        wanted.Add(pending.Intersection(run));
      }
    }
    if (offers.empty()) return;
    leases[++last_lease] = wanted;
    pending.Remove(wanted);
    link.engine().Handle(
        OfferAnswer{1, last_lease, wanted.intervals(), link.request()});
  };
  ASSERT_TRUE(link.Await([&](const TestLink&) {
    take();
    if (testing::Test::HasFatalFailure()) return true;
    if (acknowledged.size() == kTasks) return true;
    if (const auto run = pending.TakeFront(1 + random() % 500)) {
      leases[++last_lease].Add(*run);
      link.Grant(last_lease, *run);
    }
    if (last_lease > 0 && random() % 8 == 0) {
      const LeaseId lease = 1 + random() % last_lease;
      const auto held = leases[lease].First();
      if (held.has_value()) {
        link.engine().Handle(TakeBack{1, lease, *held});
      }
    }
    if (random() % 64 == 0) reconnect();
    return false;
  }));
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineStressTest, testing::Range(0, 8));

}  // namespace
}  // namespace internode::worker
