#include "scheduler/core/durations.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace internode::scheduler::core {
namespace {

TaskDuration Measured(int64_t tasks, Nanos each) {
  TaskDuration duration;
  duration.Measure(tasks, tasks * each);
  return duration;
}

TEST(TaskDurationTest, IsTheMeanOfWhatWasMeasured) {
  TaskDuration duration;
  EXPECT_FALSE(duration.measured());
  EXPECT_EQ(duration.mean(), kSecond);
  duration.Measure(1, 10);
  duration.Measure(3, 70);
  EXPECT_EQ(duration.mean(), 20);
  EXPECT_EQ(duration.num_measured(), 4);
}

TEST(TaskDurationTest, TheRecentPastCountsMost) {
  TaskDuration duration = Measured(10'000, kSecond);
  for (int i = 0; i < 20; ++i) duration.Measure(10'000, 20'000 * kSecond);
  EXPECT_GT(duration.mean(), kSecond * 19 / 10);
}

TEST(TaskDurationTest, NonsenseIsMovedIntoBounds) {
  TaskDuration duration;
  duration.Measure(1, -5);
  EXPECT_EQ(duration.mean(), 1);
  duration.Measure(0, INT64_MAX);
  duration.Measure(INT64_MAX, INT64_MAX);
  duration.Measure(-7, INT64_MIN);
  EXPECT_GE(duration.mean(), 1);
}

TEST(SlownessTest, FollowsTheWorker) {
  Slowness slowness;
  EXPECT_EQ(slowness.units(), Slowness::kUnit);
  for (int i = 0; i < 100; ++i) slowness.Measure(kSecond, 2 * kSecond);
  EXPECT_NEAR(static_cast<double>(slowness.units()), 2 * Slowness::kUnit, 40);
  for (int i = 0; i < 100; ++i) slowness.Measure(INT64_MAX / 4, INT64_MAX);
  EXPECT_LE(slowness.units(), 64 * Slowness::kUnit);
  for (int i = 0; i < 1000; ++i) slowness.Measure(kSecond, 0);
  EXPECT_EQ(slowness.units(), Slowness::kUnit / 16);
}

TEST(LeaseSizeTest, TakesTheTargetTime) {
  EXPECT_EQ(LeaseSize({.waiting = 1'000'000,
                       .duration = Measured(1000, 10 * kMillisecond),
                       .slots = 2,
                       .slowness_units = 2 * Slowness::kUnit,
                       .all_slots = 2}),
            100);
}

TEST(LeaseSizeTest, IsOneForEachSlotWhileNothingIsKnown) {
  EXPECT_EQ(LeaseSize({.waiting = 1000, .slots = 4, .all_slots = 400}), 4);
  EXPECT_EQ(LeaseSize({.waiting = 3, .slots = 4, .all_slots = 400}), 3);
}

TEST(LeaseSizeTest, IsHalfAShareAtTheEndButNotTooLittle) {
  const TaskDuration duration = Measured(1000, kMillisecond);
  EXPECT_EQ(LeaseSize({.waiting = 1000, .duration = duration, .all_slots = 10}),
            50);
  EXPECT_EQ(LeaseSize({.waiting = 100, .duration = duration, .all_slots = 10}),
            10);
  EXPECT_EQ(LeaseSize({.waiting = 5, .duration = duration, .all_slots = 10}),
            5);
}

TEST(LeaseSizeTest, IsAtLeastOneAndNeverOverflows) {
  EXPECT_EQ(LeaseSize({.waiting = 5,
                       .duration = Measured(1, kDay),
                       .slots = 4,
                       .all_slots = 4}),
            1);
  const int64_t size = LeaseSize({.waiting = int64_t{1} << 53,
                                  .duration = Measured(int64_t{1} << 40, 0),
                                  .slots = 4096,
                                  .slowness_units = 64 * Slowness::kUnit,
                                  .all_slots = 4096,
                                  .target = 60 * kSecond});
  EXPECT_GT(size, 1'000'000);
}

}  // namespace
}  // namespace internode::scheduler::core
