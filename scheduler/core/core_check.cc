#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/core/core.h"

// What must hold after every event.

namespace internode::scheduler::core {
namespace {

absl::Status Broken(const std::string& what) {
  return absl::InternalError(what);
}

#define INTERNODE_HOLDS(condition, ...)                                  \
  do {                                                                   \
    if (!(condition)) {                                                  \
      return Broken(absl::StrCat(#condition, " is false", __VA_ARGS__)); \
    }                                                                    \
  } while (false)

}  // namespace

absl::Status Core::CheckInvariants() const {
  int64_t num_queued = 0;
  for (const auto& [id, job] : jobs_) {
    INTERNODE_RETURN_IF_ERROR(CheckJob(*job));
    num_queued += job->queued_pass.has_value() ? 1 : 0;
  }
  INTERNODE_HOLDS(num_queued == static_cast<int64_t>(queue_.size()), "");
  int64_t num_leases = 0;
  int64_t num_asked = 0;
  for (const auto& [id, worker] : workers_) {
    INTERNODE_RETURN_IF_ERROR(CheckWorker(*worker));
    num_leases += static_cast<int64_t>(worker->leases.size());
    for (const auto& lease : worker->leases) {
      num_asked += lease->asked.has_value() ? 1 : 0;
    }
  }
  INTERNODE_HOLDS(num_leases == num_leases_, "");
  INTERNODE_HOLDS(num_asked == asks_in_flight_, "");
  return CheckIndexes();
}

absl::Status Core::CheckJob(const JobRecord& job) const {
  const std::string where = absl::StrCat(" in job ", job.id.value);
  IntervalSet all;
  int64_t sum = 0;
  for (const IntervalSet* part : {&job.pending, &job.retry, &job.suspects,
                                  &job.committing, &job.done, &job.failed}) {
    all.Add(*part);
    sum += part->size();
  }
  int64_t held = 0;
  for (const auto& [interval, lease] : job.holders.all()) {
    INTERNODE_HOLDS(lease->job == &job, where);
    const IntervalSet tasks = lease->remaining.Intersection(interval);
    held += tasks.size();
    all.Add(tasks);
  }
  INTERNODE_HOLDS(held == job.leased, where);
  INTERNODE_HOLDS(sum + held == job.num_tasks, where);
  INTERNODE_HOLDS(all == IntervalSet({0, job.num_tasks}), where);
  for (const auto& [interval, lease] : job.copies.all()) {
    INTERNODE_HOLDS(lease->job == &job, where);
    INTERNODE_HOLDS(lease->remaining.ContainsAll(interval), where);
    for (const auto& [copied, holder] : job.holders.Within(interval)) {
      INTERNODE_HOLDS(holder != lease, where);
      INTERNODE_HOLDS(holder->remaining.ContainsAll(copied), where);
    }
  }
  for (const auto& [interval, trouble] : job.troubles.all()) {
    INTERNODE_HOLDS(job.pending.CountWithin(interval) == 0, where);
    INTERNODE_HOLDS(job.done.CountWithin(interval) == 0, where);
    INTERNODE_HOLDS(job.failed.CountWithin(interval) == 0, where);
    const IntervalSet& wrong = trouble.deaths > 0 ? job.retry : job.suspects;
    INTERNODE_HOLDS(wrong.CountWithin(interval) == 0, where);
  }
  INTERNODE_HOLDS(!job.active() || !job.ended(), where);
  INTERNODE_HOLDS(job.active() || held == 0, where);
  const bool queued = job.active() && job.waiting() > 0;
  INTERNODE_HOLDS(job.queued_pass.has_value() == queued, where);
  INTERNODE_HOLDS(!queued || queue_.contains({-job.priority, job.pass, job.id}),
                  where);
  INTERNODE_HOLDS(
      suspect_jobs_.contains(job.id) == (job.active() && !job.suspects.empty()),
      where);
  return absl::OkStatus();
}

absl::Status Core::CheckWorker(const WorkerRecord& worker) const {
  const std::string where = absl::StrCat(" at worker ", worker.id.value);
  int64_t num_tasks = 0;
  for (const auto& lease : worker.leases) {
    num_tasks += lease->remaining.size();
    INTERNODE_HOLDS(!lease->remaining.empty(), where);
    INTERNODE_HOLDS(lease->worker == &worker, where);
    INTERNODE_HOLDS(FindJob(lease->job->id) == lease->job, where);
    INTERNODE_HOLDS(!lease->alone || worker.leases.size() == 1, where);
    INTERNODE_HOLDS(!lease->alone || worker.alone, where);
    int64_t found = 0;
    for (const Interval& piece : lease->granted) {
      for (const auto* holders : {&lease->job->holders, &lease->job->copies}) {
        for (const auto& [interval, holder] : holders->Within(piece)) {
          if (holder != lease.get()) continue;
          found += lease->remaining.CountWithin(interval);
        }
      }
    }
    INTERNODE_HOLDS(found == lease->remaining.size(), where);
  }
  INTERNODE_HOLDS(num_tasks == worker.num_tasks, where);
  INTERNODE_HOLDS(silences_.contains({worker.silent_at, worker.id}), where);
  INTERNODE_HOLDS(worker.silent_at <= SilentSince(worker.last_seen) + ttl_,
                  where);
  INTERNODE_HOLDS(alone_.contains(worker.id) == worker.alone, where);
  // Whether it wants more than a task for each slot changes with what is
  // measured elsewhere; that need not show at once.
  INTERNODE_HOLDS(worker.hungry_key.has_value() == worker.Wants(target_) ||
                      worker.num_tasks > worker.slots,
                  where);
  INTERNODE_HOLDS(worker.loaded_key.has_value() == (worker.Unstarted() > 0),
                  where);
  return absl::OkStatus();
}

absl::Status Core::CheckIndexes() const {
  int64_t num_idle = 0;
  bool free = false;
  bool empty = false;
  for (const auto& [key, worker] : hungry_) {
    INTERNODE_HOLDS(worker->hungry_key == key.first, "");
    num_idle += key.first < kFullLoad ? 1 : 0;
    free = free || !worker->alone;
    empty = empty || worker->num_tasks == 0;
  }
  INTERNODE_HOLDS(num_idle == num_idle_, "");
  INTERNODE_HOLDS(silences_.size() == workers_.size(), "");
  int64_t num_fed = 0;
  int64_t fed_slots = 0;
  for (const auto& [id, worker] : workers_) {
    if (worker->draining) continue;
    ++num_fed;
    fed_slots += worker->slots;
  }
  INTERNODE_HOLDS(num_fed == num_fed_, "");
  INTERNODE_HOLDS(fed_slots == fed_slots_, "");
  // No worker waits beside work that it could have.
  const bool pending = std::any_of(
      queue_.begin(), queue_.end(),
      [](const auto& queued) { return !queued.second->pending.empty(); });
  INTERNODE_HOLDS(!pending || !free || !spool_blocked_.empty(), "");
  INTERNODE_HOLDS(suspect_jobs_.empty() || !empty || !spool_blocked_.empty() ||
                      static_cast<int64_t>(alone_.size()) >= MostAlone(),
                  "");
  return absl::OkStatus();
}

#undef INTERNODE_HOLDS

}  // namespace internode::scheduler::core
