#include <algorithm>
#include <array>
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

// How many idle workers are looked at for a copy.
constexpr size_t kMostIdleLooks = 16;

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
  return AskBack(worker);
}

bool Core::AskBack(WorkerRecord* worker) {
  const auto [lease, unstarted] = worker->LastUnstarted();
  if (lease == nullptr) return false;
  const int64_t most = std::min(unstarted, (worker->Unstarted() + 1) / 2);
  const Interval last = *lease->remaining.Last();
  Interval asked = {std::max(last.begin, last.end - most), last.end};
  // Not in the middle of what belongs together, if something is left then.
  const int64_t together = lease->job->policies.tasks_together;
  const int64_t begin = (asked.begin + together - 1) / together * together;
  if (begin < asked.end) asked.begin = begin;
  lease->asked = asked;
  lease->asked_at = now_;
  asks_.push_back({now_, worker->id, lease->id});
  ++asks_in_flight_;
  actions_->push_back(
      TakeBack{worker->id, worker->epoch, lease->id, lease->job->id, asked});
  Reindex(worker);
  return true;
}

bool Core::AskLate(WorkerRecord* late) {
  Nanos answers_by = 0;
  for (const auto& lease : late->leases) {
    if (!lease->asked.has_value()) continue;
    answers_by = std::max(answers_by, lease->asked_at + 2 * copy_after_);
  }
  if (answers_by == 0) {
    if (asks_in_flight_ >= num_idle_ || !AskBack(late)) return false;
    answers_by = now_ + 2 * copy_after_;
  }
  if (answers_by <= now_) return false;
  late->copied_until = answers_by;
  Reindex(late);
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

WorkerRecord* Core::FindIdle(const WorkerRecord& late, bool alone) const {
  std::array<WorkerRecord*, kMostIdleLooks> idle = {};
  size_t num_idle = 0;
  Nanos heard = 0;
  for (auto it = hungry_.begin();
       it != hungry_.end() && it->first.first < kFullLoad &&
       num_idle < idle.size();
       ++it) {
    WorkerRecord* const worker = it->second;
    if (worker == &late || worker->alone || (alone && worker->num_tasks > 0)) {
      continue;
    }
    idle[num_idle++] = worker;
    heard = std::max(heard, worker->last_seen);
  }
  WorkerRecord* found = nullptr;
  for (size_t i = 0; i < num_idle; ++i) {
    if (idle[i]->last_seen < heard - copy_after_) continue;
    if (found == nullptr ||
        idle[i]->slowness.units() < found->slowness.units()) {
      found = idle[i];
    }
  }
  return found;
}

Nanos Core::TakeFromLate(WorkerRecord* late) {
  Nanos next = kNever;
  for (size_t i = late->leases.size(); i > 0; --i) {
    Lease* const lease = late->leases[i - 1].get();
    const Intervals copied = CopiedBy(*lease);
    if (copied.empty()) continue;
    Lease* const holder = *lease->job->holders.Find(copied.front().begin);
    // Of two who are late the one goes on that was heard since it began.
    const bool silent = holder->worker->last_seen <= lease->granted_at;
    const Nanos two_tasks =
        MultiplyUpTo(2, lease->job->duration.mean(), kNever / 4);
    const Nanos patience =
        std::max({holder->patience, (silent ? 2 : 4) * copy_after_, two_tasks});
    if (lease->granted_at + patience > now_) {
      next = std::min(next, lease->granted_at + patience);
      continue;
    }
    (silent ? lease : holder)->patience = patience + patience / 4;
    if (silent) {
      next = 0;
      holder->worker->unheard = true;
    }
    TakeFrom(silent ? holder : lease, copied);
  }
  return next;
}

Intervals Core::CopiedBy(const Lease& lease) const {
  Intervals copied;
  for (const Interval& run : lease.remaining.intervals()) {
    for (const auto& [interval, copy] : lease.job->copies.Within(run)) {
      if (copy == &lease) copied.push_back(interval);
    }
  }
  return copied;
}

void Core::TakeFrom(Lease* lease, const Intervals& tasks) {
  WorkerRecord* const worker = lease->worker;
  Intervals held;
  for (const Interval& any : tasks) {
    for (const Interval& run : lease->remaining.Intersection(any).intervals()) {
      held.push_back(run);
    }
  }
  Revoke(*lease, held);
  ReleaseToPools(lease, held);
  Reindex(worker);
}

bool Core::CopyOverdue() {
  if (overdue_.empty() || overdue_.begin()->first.first > now_) return false;
  WorkerRecord* const late = overdue_.begin()->second;
  if (OverdueAt(*late) > now_) {
    Reindex(late);
    return true;
  }
  const bool alone = late->RunsAlone();
  WorkerRecord* const idle = FindIdle(*late, alone);
  if (idle == nullptr) return false;
  if (AskLate(late)) return true;
  const auto found = FindUncopied(*late, idle->slots - idle->num_tasks);
  if (!found.has_value()) {
    late->copied_until = TakeFromLate(late);
    Reindex(late);
    return true;
  }
  if (alone) SetAlone(idle, true);
  Grant(found->first->job, idle, found->second, {.copy = true, .alone = alone});
  idle->Judge(now_, true);
  Reindex(idle);
  return true;
}

std::optional<Nanos> Core::OverdueAt(const WorkerRecord& worker) const {
  if (worker.num_tasks == 0 || worker.copied_until == kNever) {
    return std::nullopt;
  }
  Nanos longest = 0;
  Nanos no_answer = kNever;
  for (const auto& lease : worker.leases) {
    const TaskDuration& duration = lease->job->duration;
    if (!duration.measured()) return std::nullopt;
    longest = std::max(longest, duration.mean());
    if (lease->asked.has_value()) {
      no_answer =
          std::min(no_answer, SilentSince(lease->asked_at) + 2 * copy_after_);
    }
  }
  const Nanos one_task =
      MultiplyUpTo(longest,
                   std::min(worker.slowness.units(), 2 * Slowness::kUnit),
                   kNever / 2) /
      Slowness::kUnit;
  const Nanos late = worker.due_at + std::max(copy_after_, one_task);
  return std::max(std::min(late, no_answer), worker.copied_until);
}

void Core::Reindex(WorkerRecord* worker) {
  const auto put = [&](WorkerIndex* index, std::optional<int64_t>* key,
                       std::optional<int64_t> wanted, Nanos late = 0,
                       Nanos early = 0) {
    if (*key == wanted ||
        (key->has_value() && wanted.has_value() && *wanted - early <= **key &&
         **key <= *wanted + late)) {
      return;
    }
    // In the middle of what will do, so that it will do for long.
    if (wanted.has_value()) *wanted += (late - early) / 2;
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
  // With each frame these times move a little: the further off they are, the
  // less exactly they need to be known. None is late to be overdue.
  const Nanos slack = std::max<Nanos>(0, worker->dry_at - now_) / 8;
  put(&loaded_, &worker->loaded_key,
      worker->Unstarted() > 0 ? std::optional<int64_t>(worker->dry_at)
                              : std::nullopt,
      slack, slack);
  const std::optional<Nanos> overdue = OverdueAt(*worker);
  put(&overdue_, &worker->overdue_key, overdue, 0,
      std::max<Nanos>(0, overdue.value_or(now_) - now_) / 4);
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
