#include "scheduler/core/core.h"

#include <algorithm>
#include <variant>

namespace internode::scheduler::core {
namespace {

// Lease ids: the incarnation, then a count.
constexpr int kLeaseCountBits = 40;
constexpr uint64_t kMostIncarnation = 1 << 20;

Nanos Within(absl::Duration duration, Nanos least, Nanos most) {
  return ToNanos(duration, least, most);
}

}  // namespace

Core::Core(const CoreOptions& options)
    : target_(Within(options.target_lease, kMillisecond, 60 * kSecond)),
      least_(Within(options.least_lease, 0, target_)),
      ttl_(Within(options.worker_ttl, 100 * kMillisecond, kDay)),
      allowed_deaths_(std::clamp(options.allowed_deaths, 1, 100)),
      copy_after_(Within(options.copy_after, 0, kDay)),
      retry_elsewhere_(Within(options.retry_elsewhere, 0, kDay)),
      next_lease_(
          (std::min(options.incarnation, kMostIncarnation) << kLeaseCountBits) +
          1) {}

void Core::Handle(absl::Time now, const Event& event,
                  std::vector<Action>* actions) {
  actions_ = actions;
  Advance(ToNanos(now));
  std::visit([this](const auto& any) { On(any); }, event);
  Settle();
  promised_ = Wakeup();
  actions_ = nullptr;
}

absl::Time Core::NextWakeup() const { return FromNanos(promised_); }

void Core::Advance(Nanos now) {
  now_ = std::max(now_, now);
  if (now_ > promised_ + ttl_ / 4) forgiven_ = now_;
  CloseSilent();
  while (!asks_.empty() && SilentSince(asks_.front().at) + ttl_ <= now_) {
    const Ask ask = asks_.front();
    asks_.pop_front();
    const auto worker = workers_.find(ask.worker);
    if (worker == workers_.end()) continue;
    const Lease* lease = FindLease(*worker->second, ask.lease);
    if (lease != nullptr && lease->asked.has_value() &&
        lease->asked_at == ask.at) {
      Close(worker->second.get(), "the worker does not answer a take-back");
    }
  }
  while (!departures_.empty() && departures_.front().first <= now_) {
    const auto it = departed_.find(departures_.front().second);
    if (it != departed_.end() && it->second.until <= now_) departed_.erase(it);
    departures_.pop_front();
  }
}

void Core::CloseSilent() {
  while (!silences_.empty() && silences_.begin()->first.first <= now_) {
    WorkerRecord* const worker = silences_.begin()->second;
    const Nanos silent_at = SilentSince(worker->last_seen) + ttl_;
    if (silent_at <= now_) {
      Close(worker, "nothing was heard from the worker for its ttl");
      continue;
    }
    silences_.erase(silences_.begin());
    worker->silent_at = silent_at;
    silences_.emplace(std::make_pair(silent_at, worker->id), worker);
  }
}

void Core::Settle() {
  // Refilling one worker can touch others.
  for (size_t i = 0; i < touched_.size(); ++i) {
    WorkerRecord* const worker = touched_[i];
    if (worker == nullptr) continue;
    worker->touched = false;
    Refill(worker);
  }
  touched_.clear();
  DispatchSuspects();
  Dispatch();
  if (newcomer_.has_value()) HeadStart(*newcomer_);
  newcomer_.reset();
  Balance();
}

Nanos Core::Wakeup() const {
  Nanos wakeup = kNever;
  if (!silences_.empty()) wakeup = silences_.begin()->first.first;
  if (!asks_.empty()) {
    wakeup = std::min(wakeup, SilentSince(asks_.front().at) + ttl_);
  }
  if (!spool_blocked_.empty() || num_idle_ == 0) return wakeup;
  if (!queue_.empty()) {
    // What waits failed on all who are idle.
    wakeup = std::min(wakeup, now_ + std::max(retry_elsewhere_, kMillisecond));
  } else if (!overdue_.empty() && overdue_.begin()->first.first > now_) {
    wakeup = std::min(wakeup, overdue_.begin()->first.first);
  }
  return wakeup;
}

void Core::On(const SpoolBlocked& event) {
  spool_blocked_ =
      event.message.empty() ? "the spool takes no more" : event.message;
}

void Core::On(const SpoolResumed&) {
  spool_blocked_.clear();
  // Nobody could deliver meanwhile; what is late is judged from now on.
  for (const auto& [id, worker] : workers_) {
    worker->dry_at = worker->due_at = kNever;
    Touch(worker.get());
  }
}

void Core::On(const Tick&) {}

}  // namespace internode::scheduler::core
