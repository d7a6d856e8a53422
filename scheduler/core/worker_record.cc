#include "scheduler/core/worker_record.h"

#include <algorithm>

namespace internode::scheduler::core {
namespace {

// What is queued counts as this at most, so that products stay in 64 bits.
constexpr Nanos kMostQueued = int64_t{1} << 46;

// A worker has no more leases than this, unless it needs them to have a task
// for each slot.
constexpr size_t kMostLeases = 4;

}  // namespace

Nanos WorkerRecord::Queued() const {
  Nanos busy = 0;
  for (const auto& lease : leases) {
    busy += MultiplyUpTo(lease->remaining.size(), lease->job->duration.mean(),
                         kMostQueued);
    if (busy >= kMostQueued) break;
  }
  return std::min(busy, kMostQueued) * slowness.units() / Slowness::kUnit /
         slots;
}

void WorkerRecord::Judge(Nanos now, bool anew) {
  const Nanos queued = Queued();
  const int64_t units = slowness.units();
  const Nanos fair =
      units > Slowness::kUnit ? queued / units * Slowness::kUnit : queued;
  dry_at = anew ? now + queued : std::min(dry_at, now + queued);
  due_at = anew ? now + fair : std::min(due_at, now + fair);
}

bool WorkerRecord::Wants(Nanos target) const {
  if (paused || draining || unheard) return false;
  if (alone) return num_tasks == 0;
  if (num_tasks <= slots) return true;
  return leases.size() < kMostLeases && Queued() < target &&
         std::all_of(leases.begin(), leases.end(), [](const auto& lease) {
           return lease->job->duration.measured();
         });
}

bool WorkerRecord::RunsAlone() const {
  return alone && !leases.empty() && leases.front()->alone;
}

int64_t WorkerRecord::Unstarted() const {
  if (RunsAlone()) return 0;
  // The first tasks, one for each slot, are running.
  int64_t to_run = slots;
  int64_t unstarted = 0;
  for (const auto& lease : leases) {
    const int64_t remaining = lease->remaining.size();
    const int64_t started = std::min(to_run, remaining);
    to_run -= started;
    if (!lease->kept && !lease->asked.has_value()) {
      unstarted += remaining - started;
    }
  }
  return unstarted;
}

std::pair<Lease*, int64_t> WorkerRecord::LastUnstarted() const {
  if (RunsAlone()) return {nullptr, 0};
  int64_t after = num_tasks;
  for (auto it = leases.rbegin(); it != leases.rend(); ++it) {
    const int64_t remaining = (*it)->remaining.size();
    after -= remaining;
    const int64_t started = std::clamp<int64_t>(slots - after, 0, remaining);
    if (!(*it)->kept && !(*it)->asked.has_value() && started < remaining) {
      return {it->get(), remaining - started};
    }
  }
  return {nullptr, 0};
}

}  // namespace internode::scheduler::core
