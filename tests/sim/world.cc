#include "tests/sim/world.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

double ToUnit(uint64_t x) {
  return (static_cast<double>(x >> 11) + 0.5) * 0x1p-53;
}

// What all workers may hold in advance: four leases, or one task.
absl::Duration HeldInAdvance(const WorldOptions& options) {
  double scale = 1;
  for (const SimJob& job : options.jobs) scale = std::max(scale, job.scale);
  return options.num_workers * options.slots *
         std::max(4 * options.core.target_lease, scale * options.mean_task);
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      fairness_(HeldInAdvance(options)) {
  for (const SimJob& job : options_.jobs) {
    jobs_[job.submission.job].job = job;
  }
  for (int64_t i = 0; i < options_.num_workers; ++i) {
    const double speed = 1 + options_.speed_spread * (2 * Uniform() - 1);
    workers_.push_back(std::make_unique<SimWorker>(this, static_cast<size_t>(i),
                                                   options_.slots, speed));
  }
}

World::~World() = default;

void World::At(absl::Duration when, std::function<void()> what) {
  queue_.push({when, next_order_++, std::move(what)});
}

absl::Duration World::Latency() {
  return absl::Microseconds(200) + absl::Microseconds(800) * Uniform();
}

absl::Duration World::Pause(double per_hour) {
  if (per_hour <= 0) return absl::InfiniteDuration();
  return absl::Hours(1) / per_hour * -std::log(1 - Uniform());
}

absl::Duration World::Work(JobId job, int64_t task) const {
  const absl::Duration mean = options_.mean_task * jobs_.at(job).job.scale;
  if (options_.constant_tasks) return mean;
  const double unit =
      ToUnit(Mix(options_.seed, job.value, static_cast<uint64_t>(task)));
  return mean * std::min(8.0, -std::log(unit));
}

bool World::IsPoison(int64_t task) const {
  const int64_t every = options_.faults.poison_every;
  return every > 0 && task % every == every / 2;
}

bool World::IsFlaky(JobId job, int64_t task) const {
  const double flaky = options_.faults.flaky_tasks;
  return flaky > 0 && ToUnit(Mix(options_.seed + 1, job.value,
                                 static_cast<uint64_t>(task))) < flaky;
}

bool World::IsBad(JobId job, int64_t task) const {
  return IsPoison(task) ||
         (IsFlaky(job, task) && !failed_once_.contains({job, task}));
}

absl::Status World::Run() {
  life_ = 1;
  ScheduleFaults();
  StartScheduler();
  for (const auto& [id, job] : jobs_) {
    At(job.job.submit_at, [this, job_id = id] { Submit(job_id); });
    if (job.job.cancel_at == absl::InfiniteDuration()) continue;
    At(job.job.cancel_at, [this, job_id = id] { Cancel(job_id); });
  }
  for (const auto& worker : workers_) worker->Start();
  while (status_.ok() && num_ended_ < jobs_.size()) {
    if (queue_.empty() || queue_.top().when > options_.limit) {
      Broken("a job hangs");
      break;
    }
    const Due due = queue_.top();
    queue_.pop();
    now_ = due.when;
    due.what();
  }
  INTERNODE_RETURN_IF_ERROR(status_);
  return CheckEnd();
}

}  // namespace internode::sim
