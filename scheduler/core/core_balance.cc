#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "scheduler/core/core.h"

// Work moves from the loaded to the idle when nothing waits any more.

namespace internode::scheduler::core {
namespace {

// Nothing is taken from a worker that will be done sooner than this: asking
// takes as long.
constexpr Nanos kLeastGain = 20 * kMillisecond;

}  // namespace

void Core::Balance() {
  if (num_idle_ == 0 || !queue_.empty() || !spool_blocked_.empty()) return;
  while (asks_in_flight_ < num_idle_ && AskMostLoaded()) {
  }
  while (num_idle_ > 0 && CopyOverdue()) {
  }
}

bool Core::AskMostLoaded() {
  if (loaded_.empty()) return false;
  WorkerRecord* const worker = std::prev(loaded_.end())->second;
  if (worker->dry_at - now_ < kLeastGain) return false;
  const auto [lease, unstarted] = worker->LastUnstarted();
  if (lease == nullptr) return false;
  const int64_t most = std::min(unstarted, (worker->Unstarted() + 1) / 2);
  const Interval last = *lease->remaining.Last();
  const Interval asked = {std::max(last.begin, last.end - most), last.end};
  lease->asked = asked;
  lease->asked_at = now_;
  asks_.push_back({now_, worker->id, lease->id});
  ++asks_in_flight_;
  actions_->push_back(
      TakeBack{worker->id, worker->epoch, lease->id, lease->job->id, asked});
  Reindex(worker);
  return true;
}

std::optional<std::pair<Lease*, Interval>> Core::FindUncopied(
    const WorkerRecord& worker, int64_t most) const {
  for (const auto& lease : worker.leases) {
    for (const Interval& run : lease->remaining.intervals()) {
      Interval rest = run;
      while (rest.begin < rest.end) {
        const auto [copied, copy] = lease->job->copies.First(rest);
        if (copied.begin > rest.begin) {
          return std::make_pair(
              lease.get(),
              Interval{rest.begin, std::min(copied.begin, rest.begin + most)});
        }
        rest.begin = copied.end;
      }
    }
  }
  return std::nullopt;
}

bool Core::CopyOverdue() {
  if (overdue_.empty() || overdue_.begin()->first.first > now_) return false;
  WorkerRecord* const late = overdue_.begin()->second;
  auto free = hungry_.begin();
  if (free != hungry_.end() && free->second == late) ++free;
  if (free == hungry_.end() || free->first.first >= kFullLoad) return false;
  WorkerRecord* const idle = free->second;
  const auto found = FindUncopied(*late, idle->slots - idle->num_tasks);
  if (!found.has_value()) {
    late->copied = true;
    Reindex(late);
    return true;
  }
  Grant(found->first->job, idle, found->second, {.copy = true});
  idle->dry_at = now_ + idle->Queued();
  idle->copied = false;
  Reindex(idle);
  return true;
}

std::optional<Nanos> Core::OverdueAt(const WorkerRecord& worker) const {
  if (worker.num_tasks == 0 || worker.RunsAlone() || worker.copied) {
    return std::nullopt;
  }
  Nanos longest = 0;
  for (const auto& lease : worker.leases) {
    const TaskDuration& duration = lease->job->duration;
    if (!duration.measured()) return std::nullopt;
    longest = std::max(longest, duration.mean());
  }
  const Nanos two_tasks =
      MultiplyUpTo(2 * longest, worker.slowness.units(), kNever / 2) /
      Slowness::kUnit;
  return worker.dry_at + std::max(copy_after_, two_tasks);
}

void Core::Reindex(WorkerRecord* worker) {
  const auto put = [&](WorkerIndex* index, std::optional<int64_t>* key,
                       std::optional<int64_t> wanted) {
    if (*key == wanted) return;
    if (key->has_value()) index->erase({**key, worker->id});
    *key = wanted;
    if (key->has_value()) {
      index->emplace(std::make_pair(**key, worker->id), worker);
    }
  };
  const bool was_idle =
      worker->hungry_key.has_value() && *worker->hungry_key < kFullLoad;
  std::optional<int64_t> hungry;
  if (worker->Wants(target_)) {
    hungry = MultiplyUpTo(worker->num_tasks, kFullLoad, kNever) / worker->slots;
  }
  const bool is_idle = hungry.has_value() && *hungry < kFullLoad;
  num_idle_ += (is_idle ? 1 : 0) - (was_idle ? 1 : 0);
  put(&hungry_, &worker->hungry_key, hungry);
  put(&loaded_, &worker->loaded_key,
      worker->Unstarted() > 0 ? std::optional<int64_t>(worker->dry_at)
                              : std::nullopt);
  put(&overdue_, &worker->overdue_key, OverdueAt(*worker));
}

void Core::RemoveFromIndexes(WorkerRecord* worker) {
  if (worker->hungry_key.has_value()) {
    if (*worker->hungry_key < kFullLoad) --num_idle_;
    hungry_.erase({*worker->hungry_key, worker->id});
  }
  if (worker->loaded_key.has_value()) {
    loaded_.erase({*worker->loaded_key, worker->id});
  }
  if (worker->overdue_key.has_value()) {
    overdue_.erase({*worker->overdue_key, worker->id});
  }
}

}  // namespace internode::scheduler::core
