#include "tests/sim/scenario.h"

#include "absl/strings/str_cat.h"

namespace internode::sim {

std::optional<Faults> FaultsNamed(absl::string_view name) {
  Faults faults;
  if (name == "none") return faults;
  if (name != "light" && name != "heavy") return std::nullopt;
  faults.deaths_per_hour = 1;
  faults.freezes_per_hour = 0.2;
  faults.cuts_per_hour = 1;
  faults.duplicates = 0.001;
  faults.delays = 0.001;
  faults.flaky_tasks = 1e-5;
  if (name == "light") return faults;
  faults.deaths_per_hour = 20;
  faults.freezes_per_hour = 10;
  faults.cuts_per_hour = 20;
  faults.duplicates = 0.02;
  faults.delays = 0.02;
  faults.flaky_tasks = 1e-3;
  faults.poison_every = 5000;
  faults.scheduler_restarts = absl::Seconds(40);
  faults.spool_blocks = absl::Seconds(25);
  faults.scheduler_stops = absl::Seconds(150);
  return faults;
}

WorldOptions ToWorld(const Scenario& scenario) {
  WorldOptions options;
  options.seed = scenario.seed;
  options.num_workers = scenario.num_workers;
  options.slots = scenario.slots;
  options.speed_spread = scenario.speed_spread;
  options.mean_task = scenario.mean_task;
  options.faults = FaultsNamed(scenario.faults).value_or(Faults());
  options.check_every = scenario.check_every;
  for (int64_t i = 0; i < scenario.num_jobs; ++i) {
    scheduler::core::JobSubmitted job;
    job.job = {static_cast<uint64_t>(i) + 1};
    job.num_tasks = scenario.num_tasks / scenario.num_jobs;
    options.jobs.push_back(job);
  }
  return options;
}

std::string CommandLine(const Scenario& scenario) {
  return absl::StrCat("tests/sim/run --seed ", scenario.seed, " --workers ",
                      scenario.num_workers, " --slots ", scenario.slots,
                      " --tasks ", scenario.num_tasks, " --jobs ",
                      scenario.num_jobs, " --task-ms ",
                      absl::ToDoubleMilliseconds(scenario.mean_task),
                      " --spread ", scenario.speed_spread, " --faults ",
                      scenario.faults, " --check-every ", scenario.check_every);
}

}  // namespace internode::sim
