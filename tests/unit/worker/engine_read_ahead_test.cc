// Blocks are read while others are computed: once each, and given back when
// the scheduler wants their tasks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "tests/unit/worker/engine_testutil.h"
#include "worker/engine/engine.h"

namespace internode::worker {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Lt;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST(EngineReadAheadTest, ReadsTheNextBlockWhileOneIsComputed) {
  TestLink link({.reads = true});
  link.script().Hold(0);
  link.Grant(1, {0, 3});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  ASSERT_TRUE(link.script().AwaitRead(1));
  EXPECT_THAT(link.script().runs(), ElementsAre(0));
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({0, 3}));
  // Each block once.
  std::vector<int64_t> reads = link.script().reads();
  std::sort(reads.begin(), reads.end());
  EXPECT_THAT(reads, ElementsAre(0, 1, 2));
  ExpectRightBytes(link.frames);
}

TEST(EngineReadAheadTest, ReadsTheFirstBlockOfTheNextLeaseAhead) {
  TestLink link({.reads = true});
  link.script().Hold(0);
  link.Grant(1, {0, 2});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  link.Grant(2, {10, 11});
  link.script().Hold(1);
  link.script().Release(0);
  ASSERT_TRUE(link.script().AwaitHeld(1));
  ASSERT_TRUE(link.script().AwaitRead(10));
  link.script().Release(1);
  ASSERT_TRUE(link.AwaitDone({10, 11}));
  EXPECT_THAT(link.script().reads(), SizeIs(3));
}

TEST(EngineReadAheadTest, ReadsABlockOnceWhicheverSlotTakesItsTask) {
  TestLink link({.slots = 2, .reads = true});
  link.script().Hold(0);
  link.Grant(1, {0, 4});
  ASSERT_TRUE(link.script().AwaitHeld(0));
  ASSERT_TRUE(link.script().AwaitRead(1));
  // The other slot comes to do the rest.
  ASSERT_TRUE(link.AwaitDone({1, 4}));
  EXPECT_THAT(link.script().reads(), UnorderedElementsAre(0, 1, 2, 3));
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({0, 4}));
  ExpectRightBytes(link.frames);
}

TEST(EngineReadAheadTest, ABlockThatCannotBeReadFailsItsTask) {
  TestLink link({.slots = 2, .reads = true});
  link.script().FailRead(5, absl::DataLossError("'a.nc': cut"));
  link.Grant(1, {0, 20});
  ASSERT_TRUE(link.AwaitDone({0, 5}));
  ASSERT_TRUE(link.AwaitDone({6, 20}));
  ASSERT_TRUE(link.Await([](const TestLink& l) { return !l.failed.empty(); }));
  EXPECT_EQ(link.failed[0],
            (TasksFailed{1, 1, {5, 6}, "'a.nc': cut, in i=5", false}));
  EXPECT_EQ(link.done.size(), 19);
  ExpectRightBytes(link.frames);
}

TEST(EngineReadAheadTest, GivesBackABlockThatWasReadAhead) {
  TestLink link({.reads = true});
  link.script().Hold(0);
  link.Grant(1, {0, 10});
  ASSERT_TRUE(link.script().AwaitRead(1));
  link.engine().Handle(TakeBack{1, 1, {0, 10}});
  ASSERT_TRUE(link.AwaitReturned(1));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 1, {{1, 10}}}));
  link.script().Release(0);
  ASSERT_TRUE(link.AwaitDone({0, 1}));
  // Another task than the one that was read.
  link.Grant(2, {5, 6});
  ASSERT_TRUE(link.AwaitDone({5, 6}));
  ExpectRightBytes(link.frames);
}

// However short its tasks were: the one that runs may take for ever.
TEST(EngineReadAheadTest, GivesBackABlockThatWasReadAheadOfAShortTask) {
  TestLink link({.reads = true});
  // So that it knows how long a task takes.
  link.Grant(1, {0, 5});
  ASSERT_TRUE(link.AwaitDone({0, 5}));
  link.script().Hold(5);
  link.Grant(2, {5, 7});
  ASSERT_TRUE(link.script().AwaitRead(6));
  link.engine().Handle(TakeBack{1, 2, {6, 7}});
  ASSERT_TRUE(link.AwaitReturned(1));
  EXPECT_EQ(link.returned[0], (LeaseReturned{1, 2, {{6, 7}}}));
  link.script().Release(5);
  ASSERT_TRUE(link.AwaitDone({5, 6}));
}

TEST(EngineReadAheadTest, KeepsTheMemoryOfBlocksForTheNextJob) {
  EngineOptions options;
  options.keep_memory = absl::InfiniteDuration();
  TestLink link({.reads = true, .options = options});
  link.Grant(1, {0, 4}, 1);
  ASSERT_TRUE(link.AwaitDone({0, 4}));
  EXPECT_EQ(link.script().read_memory().front(), 0);
  link.engine().ForgetJob(1);
  link.Grant(2, {10, 11}, 2);
  ASSERT_TRUE(link.AwaitDone({10, 11}));
  EXPECT_EQ(link.script().read_memory().back(), 8);
}

TEST(EngineReadAheadTest, ASmallJobDoesNotKeepTheMemoryOfALargeOne) {
  EngineOptions options;
  options.keep_memory = absl::InfiniteDuration();
  TestLink link({.reads = true, .options = options});
  link.set_pixel_bytes(800);
  link.Grant(1, {0, 4}, 1);
  ASSERT_TRUE(link.AwaitDone({0, 4}));
  link.engine().ForgetJob(1);
  link.set_pixel_bytes(8);
  link.Grant(2, {10, 14}, 2);
  ASSERT_TRUE(link.AwaitDone({10, 14}));
  std::vector<int64_t> memory = link.script().read_memory();
  EXPECT_THAT(memory, Contains(800));
  memory.erase(memory.begin(), memory.begin() + 4);
  EXPECT_THAT(memory, Each(Lt(800)));
}

TEST(EngineReadAheadTest, FreesTheMemoryOfBlocksWhenItHasNoUseForIt) {
  EngineOptions options;
  options.keep_memory = absl::ZeroDuration();
  TestLink link({.reads = true, .options = options});
  // A slot that finds the next job before it waits has kept it.
  const absl::Time deadline = absl::Now() + kPatience;
  int64_t task = 0;
  do {
    link.Grant(static_cast<LeaseId>(task + 1), {task, task + 1});
    ASSERT_TRUE(link.AwaitDone({task, task + 1}));
    ++task;
  } while (absl::Now() < deadline &&
           (task == 1 || link.script().read_memory().back() != 0));
  EXPECT_EQ(link.script().read_memory().back(), 0);
}

}  // namespace
}  // namespace internode::worker
