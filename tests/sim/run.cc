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
  const auto tasks = static_cast<double>(scenario.num_tasks);
  absl::PrintF(
      "{\"schema\":1,\"bench\":\"sim\",\"seed\":%d,\"workers\":%d,"
      "\"tasks\":%d,\"faults\":\"%s\",\"makespan_s\":%.3f,\"ideal_s\":%.3f,"
      "\"makespan_over_ideal\":%.4f,\"shares\":{\"useful\":%.5f,"
      "\"wasted\":%.5f,\"disconnected\":%.5f,\"idle\":%.5f},"
      "\"available\":%.4f,\"tasks_per_frame\":%.2f,"
      "\"core_cpu_s\":%.3f,\"core_us_per_task\":%.4f,"
      "\"core_us_per_event\":%.3f,\"events\":%d,\"leases\":%d,"
      "\"deaths\":%d,\"drains\":%d,\"scheduler_restarts\":%d,"
      "\"dropped_frames\":%d,\"failed_tasks\":%d,\"cancelled_jobs\":%d,"
      "\"most_ranges\":%d,\"trace\":\"%016x\"}\n",
      scenario.seed, scenario.num_workers, scenario.num_tasks, scenario.faults,
      absl::ToDoubleSeconds(result.makespan),
      absl::ToDoubleSeconds(result.ideal),
      absl::FDivDuration(result.makespan, result.ideal), result.shares.useful,
      result.shares.wasted, result.shares.disconnected, result.shares.idle,
      result.available, tasks / static_cast<double>(result.num_frames),
      absl::ToDoubleSeconds(result.cpu),
      absl::ToDoubleMicroseconds(result.cpu) / tasks,
      absl::ToDoubleMicroseconds(result.cpu) /
          static_cast<double>(result.num_events),
      result.num_events, result.num_leases, result.num_deaths,
      result.num_drains, result.num_restarts, result.num_dropped_frames,
      result.num_failed_tasks, result.num_cancelled_jobs, result.most_runs,
      result.trace);
  return true;
}

int Main(int argc, char** argv) {
  Scenario scenario;
  int64_t seeds = 1;
  double task_ms = 50;
  double frame_ms = 250;
  double stagger_s = 0;
  double ttl_s = 30;
  CLI::App app("Simulates a cluster round the scheduler's core.");
  app.add_option("--seed", scenario.seed, "first seed");
  app.add_option("--seeds", seeds, "how many seeds to run, one after another");
  app.add_option("--workers", scenario.num_workers)->check(CLI::PositiveNumber);
  app.add_option("--slots", scenario.slots, "compute threads of a worker")
      ->check(CLI::PositiveNumber);
  app.add_option("--tasks", scenario.num_tasks, "of all jobs together")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--jobs", scenario.num_jobs)->check(CLI::PositiveNumber);
  app.add_option("--stagger-s", stagger_s,
                 "a job is submitted so long after the one before")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--priorities", scenario.num_priorities,
                 "the jobs have so many different priorities")
      ->check(CLI::Range(1, 1000));
  app.add_flag("--mixed", scenario.mixed,
               "the jobs' tasks take 1, 4, 1/4, ... times as long");
  app.add_option("--cancelled", scenario.num_cancelled,
                 "so many more jobs that are cancelled at some time")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--task-ms", task_ms, "mean duration of a task")
      ->check(CLI::PositiveNumber);
  app.add_option("--frame-ms", frame_ms,
                 "a slot delivers what it has done so often")
      ->check(CLI::PositiveNumber);
  app.add_option("--ttl-s", ttl_s, "the scheduler's worker ttl")
      ->check(CLI::PositiveNumber);
  app.add_option("--spread", scenario.speed_spread,
                 "speeds of workers are spread over 1 +- this")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--faults", scenario.faults)
      ->check(CLI::IsMember({"none", "light", "heavy"}));
  app.add_option("--check-every", scenario.check_every,
                 "check the invariants after every so many events; default: "
                 "1, and seldom with many workers")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  scenario.mean_task = absl::Milliseconds(task_ms);
  scenario.frame_interval = absl::Milliseconds(frame_ms);
  scenario.stagger = absl::Seconds(stagger_s);
  scenario.worker_ttl = absl::Seconds(ttl_s);
  if (app.count("--check-every") == 0 && scenario.num_workers > 100) {
    scenario.check_every = 1000 * scenario.num_workers;
  }
  int failed = 0;
  for (int64_t i = 0; i < seeds; ++i, ++scenario.seed) {
    failed += RunOnce(scenario) ? 0 : 1;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace internode::sim

int main(int argc, char** argv) { return internode::sim::Main(argc, argv); }
