#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "tests/sim/world.h"

// Whether all is as it must be, and what came of it.

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

}  // namespace

void World::Check() {
  const absl::Status status = core_->CheckInvariants();
  if (!status.ok()) Broken(std::string(status.message()));
  const ClusterInfo cluster = core_->Cluster();
  result_.most_runs = std::max(result_.most_runs, cluster.num_runs);
  // Memory: what is kept is in proportion to what is under way, and to what
  // went wrong.
  int64_t apart = cluster.num_slots + cluster.num_leases +
                  cluster.frames_committing + 8 * cluster.num_jobs;
  for (const JobInfo& job : core_->Jobs()) {
    apart += job.retrying + job.suspect + job.failed;
  }
  if (cluster.num_runs > 100 + 16 * apart) {
    Broken(absl::StrCat(cluster.num_runs, " ranges are kept for ", apart));
  }
  // Something moves, unless nobody can work.
  const bool waits =
      std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) {
        return job.second.submitted && !job.second.ended;
      });
  const absl::Duration longest =
      std::max(6 * options_.core.worker_ttl, 100 * options_.mean_task);
  if (!waits) moved_at_ = now_;
  if (serving() && now_ - moved_at_ > longest) Broken("nothing moves");
}

void World::Watch(const Event& event) {
  if (jobs_.size() < 2) return;
  // Work that comes back is charged less.
  for (const Action& action : actions_) {
    const auto* grant = std::get_if<GrantLease>(&action);
    if (grant == nullptr || grant->alone) continue;
    const SimJob& job = jobs_[grant->job].job;
    fairness_.Given(grant->job, static_cast<double>(grant->tasks.size()) *
                                    job.scale * options_.mean_task);
  }
  const std::string wrong = fairness_.Look(core_->Jobs());
  if (!wrong.empty()) {
    Broken(absl::StrCat(wrong, ", after an event of kind ", event.index()));
  }
}

void World::Broken(const std::string& what) {
  if (!status_.ok()) return;
  std::string text = absl::StrCat("at ", absl::FormatDuration(now_), ", event ",
                                  result_.num_events, ": ", what);
  for (const JobInfo& job : core_->Jobs()) {
    absl::StrAppend(&text, "; job ", job.job.value, ": ",
                    core_->Explain(job.job).text);
  }
  status_ = absl::InternalError(text);
}

absl::Status World::CheckEnd() {
  for (const auto& [id, job] : jobs_) {
    INTERNODE_RETURN_IF_ERROR(CheckEnd(job));
  }
  if (options_.measure_cpu) {
    result_.cpu = meter_.Cpu();
    if (meter_.num_actions() != num_actions_) {
      return absl::InternalError("the same events gave other actions");
    }
  }
  Summarize();
  return absl::OkStatus();
}

absl::Status World::CheckEnd(const DurableJob& job) const {
  IntervalSet failed;
  for (const TaskFailure& failure : job.failures) {
    if (failed.CountWithin(failure.tasks) > 0 ||
        job.done.CountWithin(failure.tasks) > 0) {
      return absl::InternalError("a task ended twice");
    }
    failed.Add(failure.tasks);
    for (int64_t i = failure.tasks.begin; i < failure.tasks.end; ++i) {
      if (IsPoison(i) && failure.kind == TaskFailure::Kind::kPoisonous) {
        continue;
      }
      return absl::InternalError(
          absl::StrCat("task ", i, " failed: ", failure.message));
    }
  }
  if (job.state == JobState::kCancelled) {
    return job.job.cancel_at < absl::InfiniteDuration()
               ? absl::OkStatus()
               : absl::InternalError("a job was cancelled by nobody");
  }
  const int64_t num_tasks = job.job.submission.num_tasks;
  if (job.done.size() + failed.size() != num_tasks) {
    return absl::InternalError("a task was lost");
  }
  const JobState expected =
      failed.empty() ? JobState::kCompleted : JobState::kCompletedWithFailures;
  if (job.state != expected) return absl::InternalError("wrong end");
  return absl::OkStatus();
}

void World::Summarize() {
  absl::Duration work;
  for (const auto& [id, job] : jobs_) {
    for (const Interval& run : job.done.intervals()) {
      for (int64_t i = run.begin; i < run.end; ++i) work += Work(id, i);
    }
  }
  result_.trace = trace_.hash();
  result_.ideal = capacity_.TimeFor(work, now_);
  absl::Duration busy;
  absl::Duration disconnected;
  double speed = 0;
  for (const auto& worker : workers_) {
    worker->Recount();
    busy += worker->busy();
    disconnected += worker->disconnected();
    speed += worker->speed() * options_.slots;
  }
  const absl::Duration all = capacity_.sum();
  Shares& shares = result_.shares;
  shares.useful = absl::FDivDuration(work, all);
  shares.wasted = absl::FDivDuration(busy - work, all);
  shares.disconnected = absl::FDivDuration(disconnected, all);
  shares.idle = 1 - shares.useful - shares.wasted - shares.disconnected;
  result_.available = absl::FDivDuration(all, now_ * speed);
}

}  // namespace internode::sim
