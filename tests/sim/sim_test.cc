#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

namespace internode::sim {
namespace {

WorldResult RunWell(const Scenario& scenario) {
  World world(ToWorld(scenario));
  const absl::Status status = world.Run();
  EXPECT_TRUE(status.ok()) << status.message() << "\n  "
                           << CommandLine(scenario);
  return world.result();
}

TEST(SimTest, AQuietClusterIsBusyToTheEnd) {
  for (const double spread : {0.0, 0.5}) {
    for (const int slots : {1, 4}) {
      const WorldResult result = RunWell({.num_workers = 50,
                                          .slots = slots,
                                          .num_tasks = 500'000,
                                          .speed_spread = spread,
                                          .check_every = 1000});
      EXPECT_LT(result.makespan, 1.02 * result.ideal);
      EXPECT_LT(result.shares.idle, 0.02);
      EXPECT_LT(result.shares.wasted, 1e-6);
    }
  }
}

TEST(SimTest, LongTasksAreSharedOutWell) {
  // 64 tasks for each slot, the longest of which takes 8 times the mean.
  const WorldResult result = RunWell({.num_workers = 50,
                                      .num_tasks = 50 * 640,
                                      .mean_task = absl::Seconds(10),
                                      .check_every = 100});
  EXPECT_LT(result.makespan, 1.02 * result.ideal);
}

TEST(SimTest, ASeedGivesOneHistory) {
  const Scenario scenario = {.seed = 7,
                             .num_workers = 40,
                             .num_tasks = 100'000,
                             .faults = "heavy",
                             .check_every = 1000};
  Scenario other = scenario;
  other.seed = 8;
  const uint64_t trace = RunWell(scenario).trace;
  EXPECT_EQ(RunWell(scenario).trace, trace);
  EXPECT_NE(RunWell(other).trace, trace);
}

TEST(SimTest, NoFaultLosesOrDoublesATask) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const Scenario scenario = {
        .seed = seed,
        .num_workers = 1 + static_cast<int64_t>(seed) % 12,
        .slots = 1 + static_cast<int>(seed) % 3,
        .num_tasks = 30'000,
        .num_jobs = 1 + static_cast<int64_t>(seed) % 4,
        .faults = "heavy",
        .check_every = 1};
    const WorldResult result = RunWell(scenario);
    EXPECT_GT(result.num_failed_tasks, 0);
    if (HasFailure()) return;
  }
}

TEST(SimTest, JobsShareTheClusterFairly) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Scenario scenario = {.seed = seed,
                               .num_workers = 3,
                               .num_tasks = 90'000,
                               .num_jobs = 4,
                               .stagger = absl::Seconds(15),
                               .num_priorities = 1 + static_cast<int>(seed % 2),
                               .mixed = true,
                               .faults = seed < 3 ? "none" : "heavy",
                               .check_every = 10};
    World world(ToWorld(scenario));
    const absl::Status status = world.Run();
    ASSERT_TRUE(status.ok()) << status << "\n  " << CommandLine(scenario);
    EXPECT_GT(world.num_contests(), 1000);
  }
}

TEST(SimTest, CancelledJobsFreeTheirWorkersAtOnce) {
  int64_t cancelled = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Scenario scenario = {.seed = seed,
                               .num_workers = 8,
                               .slots = 2,
                               .num_tasks = 30'000,
                               .num_jobs = 2,
                               .stagger = absl::Seconds(5),
                               .num_cancelled = 6,
                               .faults = seed < 3 ? "none" : "heavy",
                               .check_every = 1};
    cancelled += RunWell(scenario).num_cancelled_jobs;
    if (HasFailure()) return;
  }
  EXPECT_GT(cancelled, 20);
}

TEST(SimTest, AThousandWorkersWithLightFaultsLoseLittle) {
  const WorldResult result = RunWell({.num_workers = 1000,
                                      .num_tasks = 3'000'000,
                                      .faults = "light",
                                      .check_every = 100'000});
  EXPECT_GT(result.num_deaths, 0);
  EXPECT_LT(result.makespan, 1.02 * result.ideal);
}

TEST(SimTest, MemoryGrowsWithGapsNotWithTasks) {
  const WorldResult result =
      RunWell({.num_workers = 20, .num_tasks = 400'000, .check_every = 100});
  EXPECT_LT(result.most_runs, 20 * 20);
}

}  // namespace
}  // namespace internode::sim
