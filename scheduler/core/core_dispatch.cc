#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/core/core.h"

// Who gets what.

namespace internode::scheduler::core {
namespace {

// How many jobs, or workers, are looked at for a match: those that do not
// match are few, since only tasks to retry choose their worker.
constexpr int kMostLooks = 16;

// A worker goes on where it was for so many leases, before it goes elsewhere.
constexpr int64_t kLeasesPerStretch = 8;

// With this many leases a worker gets no other job's first one.
constexpr size_t kMostLeasesForHeadStart = 8;

}  // namespace

void Core::Touch(WorkerRecord* worker) {
  if (worker->touched) return;
  worker->touched = true;
  touched_.push_back(worker);
}

void Core::Refill(WorkerRecord* worker) {
  bool judge_anew = worker->last_seen == now_;
  while (worker->Wants(target_) && GrantNext(worker)) judge_anew = true;
  worker->Judge(now_, judge_anew);
  worker->copied_until = 0;
  Reindex(worker);
}

bool Core::GrantNext(WorkerRecord* worker) {
  if (!spool_blocked_.empty()) return false;
  if (worker->alone || !suspect_jobs_.empty()) {
    if (GrantSuspects(worker)) return true;
    if (worker->alone) return false;
  }
  int looks = 0;
  for (const auto& [key, job] : queue_) {
    // A grant changes the queue; nothing of it is used after.
    if (GrantFrom(job, worker)) return true;
    if (++looks == kMostLooks) break;
  }
  return false;
}

int64_t Core::SizeFor(const JobRecord& job, const WorkerRecord& worker) const {
  return LeaseSize({.waiting = job.waiting(),
                    .duration = job.duration,
                    .slots = worker.slots,
                    .slowness_units = worker.slowness.units(),
                    .all_slots = fed_slots_,
                    .target = target_,
                    .least = least_});
}

bool Core::GrantFrom(JobRecord* job, WorkerRecord* worker) {
  const int64_t size = SizeFor(*job, *worker);
  std::optional<Interval> tasks =
      job->TakeRetry(size, worker->id, now_ - retry_elsewhere_, num_fed_ <= 1);
  if (!tasks.has_value()) {
    tasks = job->TakePending(size, kLeasesPerStretch * size, &worker->place);
  }
  if (!tasks.has_value()) return false;
  const bool front = std::any_of(
      worker->leases.begin(), worker->leases.end(),
      [&](const auto& held) { return held->job->priority < job->priority; });
  Grant(job, worker, *tasks, {.front = front});
  return true;
}

int64_t Core::MostAlone() const { return std::max<int64_t>(1, num_fed_ / 4); }

void Core::SetAlone(WorkerRecord* worker, bool alone) {
  worker->alone = alone;
  if (alone) {
    alone_.insert(worker->id);
    any_reserved_ = true;
  } else {
    alone_.erase(worker->id);
  }
}

bool Core::GrantSuspects(WorkerRecord* worker) {
  if (suspect_jobs_.empty()) {
    SetAlone(worker, false);
    return false;
  }
  const auto num_alone = static_cast<int64_t>(alone_.size());
  if (worker->num_tasks > 0) {
    if (num_alone < MostAlone()) SetAlone(worker, true);
    return false;
  }
  // An empty one may begin at once, though others are being emptied.
  if (!worker->alone && num_alone >= 2 * MostAlone()) return false;
  JobRecord* const job = FindJob(*suspect_jobs_.begin());
  const std::optional<Interval> tasks = job->TakeSuspects();
  SetAlone(worker, true);
  Grant(job, worker, *tasks, {.alone = true});
  return true;
}

void Core::DispatchSuspects() {
  if (suspect_jobs_.empty()) {
    if (!any_reserved_) return;
    any_reserved_ = false;
    // Those that were being emptied for suspects go on.
    for (const WorkerId id :
         std::vector<WorkerId>(alone_.begin(), alone_.end())) {
      WorkerRecord* const worker = workers_.find(id)->second.get();
      if (worker->RunsAlone()) continue;
      SetAlone(worker, false);
      Refill(worker);
    }
    return;
  }
  for (int look = 0; look < kMostLooks && !hungry_.empty() &&
                     !suspect_jobs_.empty() && spool_blocked_.empty();
       ++look) {
    WorkerRecord* const worker = hungry_.begin()->second;
    const size_t alone = alone_.size();
    if (!GrantSuspects(worker) && alone_.size() == alone) return;
    worker->Judge(now_, true);
    Reindex(worker);
  }
}

void Core::Dispatch() {
  if (!spool_blocked_.empty()) return;
  int looks = 0;
  auto it = hungry_.begin();
  while (it != hungry_.end() && !queue_.empty() && looks < kMostLooks) {
    WorkerRecord* const worker = it->second;
    if (!GrantNext(worker)) {
      // It may have been reserved for suspects.
      const auto key = it->first;
      Reindex(worker);
      it = hungry_.upper_bound(key);
      ++looks;
      continue;
    }
    worker->Judge(now_, true);
    Reindex(worker);
    it = hungry_.begin();
  }
}

void Core::HeadStart(JobId id) {
  JobRecord* const job = FindJob(id);
  if (job == nullptr || job->state != JobState::kQueued ||
      job->pending.empty() || queue_.empty() || !spool_blocked_.empty() ||
      std::get<0>(queue_.begin()->first) != -job->priority) {
    return;
  }
  // The next to be free, by what is known.
  int looks = 0;
  for (auto it = overdue_.lower_bound({now_, WorkerId{0}});
       it != overdue_.end() && looks < kMostLooks; ++it, ++looks) {
    WorkerRecord* const worker = it->second;
    if (worker->paused || worker->draining || worker->alone ||
        worker->leases.size() >= kMostLeasesForHeadStart) {
      continue;
    }
    const int64_t size = std::min(worker->slots, SizeFor(*job, *worker));
    Grant(job, worker, *job->TakePending(size, size, &worker->place),
          {.front = true});
    worker->Judge(now_, true);
    Reindex(worker);
    return;
  }
}

}  // namespace internode::scheduler::core
