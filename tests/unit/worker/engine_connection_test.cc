// What an engine sends while its scheduler is slow, and what it offers after a
// broken connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "tests/unit/worker/engine_testutil.h"
#include "worker/engine/engine.h"

namespace internode::worker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// ---- back-pressure ----

TEST(EngineConnectionTest, SendsNoMoreThanTheWindow) {
  EngineOptions options;
  options.frame_bytes = 1000;
  TestLink link(
      {.options = options, .window_bytes = 3000, .acknowledge = false});
  link.Grant(1, {0, 1000});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.frames.empty(); }));
  // Everything has run when the lease after it has.
  ASSERT_TRUE(link.AwaitLoad(
      [](const Engine::Load& load) { return load.tasks_done == 1000; }));
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

TEST(EngineConnectionTest, AFrameLargerThanTheWindowIsSentByItself) {
  TestLink link({.window_bytes = 1});
  link.Grant(1, {0, 100});
  ASSERT_TRUE(link.AwaitDone({0, 100}));
}

TEST(EngineConnectionTest, PausesWhenItsBufferFillsAndWaitsWhenItIsFull) {
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

TEST(EngineConnectionTest, APauseIsToldToTheNextConnectionToo) {
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

TEST(EngineConnectionTest, OffersWhatWasNotAcknowledgedAndWhatRuns) {
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

TEST(EngineConnectionTest, WorksOnWithoutAConnection) {
  TestLink link({});
  link.script().Hold(0);
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  link.engine().Disconnected();
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitLoad(
      [](const Engine::Load& load) { return load.held_bytes > 0; }));
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{0, 10}}}));
  link.engine().Handle(OfferAnswer{1, 2, {{0, 10}}, link.request()});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  EXPECT_EQ(link.frames[0].lease, 2u);
}

TEST(EngineConnectionTest,
     ATaskThatFailsWhileItIsOfferedIsToldUnderTheNewLease) {
  TestLink link({});
  link.script().Hold(3);
  link.script().Fail(3, absl::DataLossError("cut"));
  link.Grant(1, {3, 5});
  ASSERT_TRUE(link.script().AwaitHeld(3));
  EXPECT_THAT(link.Reconnect(), ElementsAre(Offer{1, {{3, 4}}}));
  link.script().Release(3);
  ASSERT_TRUE(link.AwaitLoad(
      [](const Engine::Load& load) { return load.tasks_done > 0; }));
  link.engine().Handle(OfferAnswer{1, 9, {{3, 4}}, link.request()});
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.failed.empty(); }));
  EXPECT_EQ(link.failed[0], (TasksFailed{1, 9, {3, 4}, "cut, in i=3", false}));
}

TEST(EngineConnectionTest, GivesBackWhatIsWantedOfAnOfferButNotHeld) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.Reconnect();
  link.engine().Handle(OfferAnswer{1, 2, {{5, 15}}, link.request()});
  ASSERT_TRUE(link.AwaitReturned(1));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 2, {{10, 15}}}));
}

TEST(EngineConnectionTest, DropsWhatItHoldsOfAnotherSchedulersJob) {
  TestLink link({.acknowledge = false});
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.AwaitDone({0, 10}));
  link.Reconnect();
  link.engine().Handle(OfferAnswer{1, 2, {{0, 10}}, link.request(8)});
  ASSERT_TRUE(link.AwaitReturned(1));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 2, {{0, 10}}}));
  EXPECT_EQ(link.engine().load().held_bytes, 0);
}

TEST(EngineConnectionTest, AJobOfTheSameNumberAndAnotherPlanIsOpenedAnew) {
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

TEST(EngineConnectionTest, OffersAgainAfterASecondBreak) {
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

TEST(EngineConnectionTest, AcknowledgementsAreCumulativeAndLyingOnesHarmless) {
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

TEST(EngineConnectionTest, ForgetsAJob) {
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

}  // namespace
}  // namespace internode::worker
