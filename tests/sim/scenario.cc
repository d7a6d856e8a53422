#include "tests/sim/scenario.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "tests/sim/trace.h"

namespace internode::sim {
namespace {

// The job's number, from 0 on, and how it is submitted.
SimJob JobOf(const Scenario& scenario, int64_t i) {
  SimJob job;
  job.submission.job = {static_cast<uint64_t>(i) + 1};
  job.submission.num_tasks = scenario.num_tasks / scenario.num_jobs;
  job.submission.priority = static_cast<int>(i) % scenario.num_priorities;
  job.submit_at = scenario.stagger * i;
  if (scenario.mixed) job.scale = i % 3 == 0 ? 1 : (i % 3 == 1 ? 4 : 0.25);
  return job;
}

void CancelSometime(const Scenario& scenario, SimJob* job) {
  const absl::Duration all = scenario.stagger * scenario.num_jobs +
                             scenario.mean_task * scenario.num_tasks /
                                 (scenario.num_workers * scenario.slots);
  const uint64_t random = Mix(scenario.seed, job->submission.job.value, 2);
  job->submit_at = all * (random % 512) / 1024;
  job->cancel_at = job->submit_at + all * (random / 1024 % 512) / 1024;
  job->forget = random / (1 << 20) % 2 == 0;
}

}  // namespace

std::optional<Faults> FaultsNamed(absl::string_view name) {
  Faults faults;
  if (name == "none") return faults;
  if (name != "light" && name != "heavy") return std::nullopt;
  faults.deaths_per_hour = 1;
  faults.freezes_per_hour = 0.2;
  faults.cuts_per_hour = 1;
  faults.slow_disks_per_hour = 1;
  faults.pauses_per_hour = 2;
  faults.drains_per_hour = 1;
  faults.duplicates = 0.001;
  faults.delays = 0.001;
  faults.flaky_tasks = 1e-5;
  if (name == "light") return faults;
  faults.deaths_per_hour = 20;
  faults.freezes_per_hour = 10;
  faults.cuts_per_hour = 20;
  faults.slow_disks_per_hour = 10;
  faults.pauses_per_hour = 20;
  faults.drains_per_hour = 10;
  faults.partitions = absl::Seconds(100);
  faults.duplicates = 0.02;
  faults.delays = 0.02;
  faults.flaky_tasks = 1e-3;
  faults.poison_every = 5000;
  faults.scheduler_restarts = absl::Seconds(40);
  faults.spool_blocks = absl::Seconds(25);
  faults.spool_slow = absl::Seconds(60);
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
  options.frame_interval = scenario.frame_interval;
  options.faults = FaultsNamed(scenario.faults).value_or(Faults());
  options.core.worker_ttl = scenario.worker_ttl;
  options.check_every = scenario.check_every;
  const int64_t all = scenario.num_jobs + scenario.num_cancelled;
  options.jobs.reserve(static_cast<size_t>(all));
  for (int64_t i = 0; i < all; ++i) {
    SimJob job = JobOf(scenario, i);
    if (i >= scenario.num_jobs) CancelSometime(scenario, &job);
    options.jobs.push_back(job);
  }
  return options;
}

std::string CommandLine(const Scenario& scenario) {
  return absl::StrCat(
      "tests/sim/run --seed ", scenario.seed, " --workers ",
      scenario.num_workers, " --slots ", scenario.slots, " --tasks ",
      scenario.num_tasks, " --jobs ", scenario.num_jobs, " --stagger-s ",
      absl::ToDoubleSeconds(scenario.stagger), " --priorities ",
      scenario.num_priorities, scenario.mixed ? " --mixed" : "",
      " --cancelled ", scenario.num_cancelled, " --task-ms ",
      absl::ToDoubleMilliseconds(scenario.mean_task), " --frame-ms ",
      absl::ToDoubleMilliseconds(scenario.frame_interval), " --spread ",
      scenario.speed_spread, " --faults ", scenario.faults, " --ttl-s ",
      absl::ToDoubleSeconds(scenario.worker_ttl), " --check-every ",
      scenario.check_every);
}

}  // namespace internode::sim
