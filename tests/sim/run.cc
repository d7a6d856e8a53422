// tests/sim/run: simulates a cluster round the scheduler's core, and prints
// what came of it as one JSON value. Ends with 1 if an invariant broke, with
// the command line that shows it again.

#include <cstdint>
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

namespace internode::sim {
namespace {

// Whether the world of this scenario ended well.
bool RunOnce(const Scenario& scenario) {
  WorldOptions options = ToWorld(scenario);
  options.measure_cpu = true;
  World world(options);
  const absl::Status status = world.Run();
  const WorldResult& result = world.result();
  if (!status.ok()) {
    absl::FPrintF(stderr, "%s\n  %s\n", std::string(status.message()),
                  CommandLine(scenario));
    return false;
  }
  const double tasks = static_cast<double>(scenario.num_tasks);
  absl::PrintF(
      "{\"schema\":1,\"seed\":%d,\"workers\":%d,\"tasks\":%d,"
      "\"makespan_s\":%.3f,\"ideal_s\":%.3f,\"ideal_of_uptime_s\":%.3f,"
      "\"makespan_over_ideal\":%.4f,\"makespan_over_ideal_of_uptime\":%.4f,"
      "\"starved\":%.5f,\"core_cpu_s\":%.3f,\"core_us_per_task\":%.4f,"
      "\"core_us_per_event\":%.3f,\"events\":%d,\"leases\":%d,\"deaths\":%d,"
      "\"restarts\":%d,\"dropped_frames\":%d,\"failed_tasks\":%d,"
      "\"trace\":\"%016x\"}\n",
      scenario.seed, scenario.num_workers, scenario.num_tasks,
      absl::ToDoubleSeconds(result.makespan),
      absl::ToDoubleSeconds(result.ideal),
      absl::ToDoubleSeconds(result.ideal_of_uptime),
      absl::FDivDuration(result.makespan, result.ideal),
      absl::FDivDuration(result.makespan, result.ideal_of_uptime),
      result.starved, absl::ToDoubleSeconds(result.cpu),
      absl::ToDoubleMicroseconds(result.cpu) / tasks,
      absl::ToDoubleMicroseconds(result.cpu) /
          static_cast<double>(result.num_events),
      result.num_events, result.num_leases, result.num_deaths,
      result.num_restarts, result.num_dropped_frames, result.num_failed_tasks,
      result.trace);
  return true;
}

int Main(int argc, char** argv) {
  Scenario scenario;
  int64_t seeds = 1;
  double task_ms = absl::ToDoubleMilliseconds(scenario.mean_task);
  CLI::App app("Simulates a cluster round the scheduler's core.");
  app.add_option("--seed", scenario.seed, "first seed");
  app.add_option("--seeds", seeds, "how many seeds to run, one after another");
  app.add_option("--workers", scenario.num_workers)->check(CLI::PositiveNumber);
  app.add_option("--slots", scenario.slots, "compute threads of a worker")
      ->check(CLI::PositiveNumber);
  app.add_option("--tasks", scenario.num_tasks, "of all jobs together")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--jobs", scenario.num_jobs)->check(CLI::PositiveNumber);
  app.add_option("--task-ms", task_ms, "mean duration of a task")
      ->check(CLI::PositiveNumber);
  app.add_option("--spread", scenario.speed_spread,
                 "speeds of workers are spread over 1 +- this")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--faults", scenario.faults)
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  app.add_option("--check-every", scenario.check_every,
                 "check the invariants after every so many events")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  scenario.mean_task = absl::Milliseconds(task_ms);
  int failed = 0;
  for (int64_t i = 0; i < seeds; ++i, ++scenario.seed) {
    failed += RunOnce(scenario) ? 0 : 1;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace internode::sim

int main(int argc, char** argv) { return internode::sim::Main(argc, argv); }
