#include "worker/engine/work_queue.h"

#include <algorithm>
#include <utility>

#include "worker/engine/stretch.h"

namespace internode::worker {

void WorkQueue::Add(LeasePtr lease, bool front) {
  if (front) {
    leases_.push_front(std::move(lease));
  } else {
    leases_.push_back(std::move(lease));
  }
}

void WorkQueue::Return(const LeasePtr& lease, core::Interval tasks) {
  if (tasks.size() <= 0) return;
  lease->unstarted.Add(tasks);
  if (std::find(leases_.begin(), leases_.end(), lease) == leases_.end()) {
    leases_.push_front(lease);
  }
}

WorkQueue::LeasePtr WorkQueue::First() {
  leases_.erase(std::remove_if(leases_.begin(), leases_.end(),
                               [](const LeasePtr& lease) {
                                 return lease->unstarted.empty();
                               }),
                leases_.end());
  for (const LeasePtr& lease : leases_) {
    if (!lease->job->opening) return lease;
  }
  return nullptr;
}

core::Interval WorkQueue::Choose(const LeaseState& lease,
                                 std::optional<int64_t> preferred, int slots,
                                 int64_t least) const {
  core::Interval run = *lease.unstarted.First();
  if (preferred.has_value() && lease.unstarted.Contains(*preferred)) {
    run = *lease.unstarted.NextFrom(*preferred);
  }
  int64_t size = run.size();
  if (!lease.alone) {
    const int64_t share = (lease.unstarted.size() + slots - 1) / slots;
    size = std::min(size, std::max(share, least));
  }
  run.end = run.begin + std::min(size, Stretch::kMostTasks);
  return run;
}

void WorkQueue::Take(const LeasePtr& lease, core::Interval tasks) {
  lease->unstarted.Remove(tasks);
}

WorkQueue::Place WorkQueue::Ahead(const std::vector<Place>& taken,
                                  int slots) const {
  for (const LeasePtr& lease : leases_) {
    if (lease->job->opened == nullptr) continue;
    const std::optional<core::Interval> first = lease->unstarted.First();
    if (!first.has_value()) continue;
    // Slots share a lease: each reads where its share is likely to begin.
    const int64_t step = (first->size() + slots - 1) / slots;
    for (int64_t task = first->begin; task < first->end; task += step) {
      Place place = {lease, task};
      if (std::find(taken.begin(), taken.end(), place) == taken.end()) {
        return place;
      }
    }
  }
  return {};
}

WorkQueue::LeasePtr WorkQueue::Find(JobId job, LeaseId lease) const {
  for (const LeasePtr& candidate : leases_) {
    if (candidate->id == lease && candidate->job->id == job) return candidate;
  }
  return nullptr;
}

std::vector<WorkQueue::LeasePtr> WorkQueue::RemoveAll() {
  std::vector<LeasePtr> removed(leases_.begin(), leases_.end());
  leases_.clear();
  return removed;
}

std::vector<WorkQueue::LeasePtr> WorkQueue::RemoveJob(const JobState* job) {
  std::vector<LeasePtr> removed;
  std::deque<LeasePtr> kept;
  for (LeasePtr& lease : leases_) {
    if (lease->job.get() == job) {
      removed.push_back(std::move(lease));
    } else {
      kept.push_back(std::move(lease));
    }
  }
  leases_ = std::move(kept);
  return removed;
}

}  // namespace internode::worker
