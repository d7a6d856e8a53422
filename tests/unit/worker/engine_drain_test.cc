// An engine that is to end gives back what it did not start, and waits until
// the rest is acknowledged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/interval_set.h"
#include "tests/unit/worker/engine_testutil.h"
#include "worker/engine/engine.h"

namespace internode::worker {
namespace {

using core::Interval;
using testing::SizeIs;

TEST(EngineDrainTest, DrainsWhatRunsAndGivesTheRestBack) {
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

TEST(EngineDrainTest, AnIdleEngineDrainsAtOnce) {
  TestLink link({});
  link.engine().Drain("because");
  ASSERT_TRUE(link.AwaitDrained());
  EXPECT_EQ(link.states, "D");
}

TEST(EngineDrainTest, DrainingIsToldToTheNextConnectionToo) {
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

}  // namespace
}  // namespace internode::worker
