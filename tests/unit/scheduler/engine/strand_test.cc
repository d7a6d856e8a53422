#include "scheduler/engine/strand.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/manual_clock.h"

namespace internode::scheduler {
namespace {

using ::testing::ElementsAre;

Strand::Hooks NoHooks() {
  return {.turn_end = [] {},
          .next_wakeup = [] { return absl::InfiniteFuture(); }};
}

TEST(StrandTest, ATurnTakesAllThatWaits) {
  testing::ManualClock clock;
  std::vector<int> ran;
  Strand strand(&clock, {.turn_end = [&] { ran.push_back(-1); },
                         .next_wakeup = [] { return absl::InfiniteFuture(); }});
  EXPECT_FALSE(strand.RunTurn());
  strand.Post([&] {
    ran.push_back(1);
    strand.Post([&] { ran.push_back(3); });
  });
  strand.Post([&] { ran.push_back(2); });
  EXPECT_TRUE(strand.RunTurn());
  EXPECT_THAT(ran, ElementsAre(1, 2, -1));
  EXPECT_EQ(strand.num_waiting(), 1);
  EXPECT_TRUE(strand.RunTurn());
  EXPECT_THAT(ran, ElementsAre(1, 2, -1, 3, -1));
}

TEST(StrandTest, AWakeupIsATurn) {
  testing::ManualClock clock;
  absl::Time wakeup = clock.Now() + absl::Seconds(1);
  int turns = 0;
  Strand strand(&clock, {.turn_end =
                             [&] {
                               ++turns;
                               wakeup = absl::InfiniteFuture();
                             },
                         .next_wakeup = [&] { return wakeup; }});
  EXPECT_FALSE(strand.RunTurn());
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(strand.RunTurn());
  EXPECT_FALSE(strand.RunTurn());
  EXPECT_EQ(turns, 1);
}

TEST(StrandTest, RunsWhatManyThreadsPostOneAfterTheOther) {
  Strand strand(RealClock(), NoHooks());
  strand.Start();
  // Of the strand alone.
  int64_t sum = 0;
  std::vector<std::thread> posters;
  posters.reserve(4);
  for (int i = 0; i < 4; ++i) {
    posters.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) strand.Post([&] { ++sum; });
    });
  }
  for (std::thread& poster : posters) poster.join();
  strand.Stop();
  EXPECT_EQ(sum, 4000);
}

TEST(StrandTest, StopRunsWhatWasPostedAndNothingLater) {
  Strand strand(RealClock(), NoHooks());
  std::atomic<int> ran = 0;
  strand.Post([&] { ++ran; });
  strand.Start();
  strand.Stop();
  strand.Stop();
  strand.Post([&] { ++ran; });
  EXPECT_EQ(ran, 1);
}

TEST(StrandTest, AnIdleStrandWakesForAPost) {
  Strand strand(RealClock(), NoHooks());
  strand.Start();
  for (int i = 0; i < 100; ++i) {
    absl::Notification ran;
    strand.Post([&] { ran.Notify(); });
    ran.WaitForNotification();
  }
}

}  // namespace
}  // namespace internode::scheduler
