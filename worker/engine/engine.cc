#include "worker/engine/engine.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "worker/engine/monotonic_clock.h"
#include "worker/engine/slot.h"

namespace internode::worker {
namespace {

constexpr size_t kMostMessageBytes = 4096;

// A stretch is at least so long, so that slots seldom meet at the lock.
constexpr double kLeastStretchNs = 200'000;

core::IntervalSet ToSet(const std::vector<core::Interval>& tasks) {
  core::IntervalSet set;
  for (const core::Interval& run : tasks) set.Add(run);
  return set;
}

}  // namespace

Engine::Engine(const EngineOptions& options, absl::Span<SlotState> slots,
               OpenJob open, std::function<void()> wake)
    : options_(options), open_(std::move(open)), wake_(std::move(wake)) {
  slots_.reserve(slots.size());
  for (SlotState& state : slots) {
    slots_.push_back(std::make_unique<Slot>(this, &state));
  }
  for (const auto& slot : slots_) slot->Start();
  reader_ = std::thread([this] { RunReader(); });
  flusher_ = std::thread([this] { RunFlusher(); });
}

Engine::~Engine() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  for (const auto& slot : slots_) slot->Join();
  reader_.join();
  flusher_.join();
}

// ---- the connection ----

std::vector<Offer> Engine::Connect() {
  MutexLock lock(&mu_);
  connected_ = false;
  outgoing_.clear();
  offered_failures_.clear();
  ReclaimAll();
  for (const LeasePtr& lease : queue_.RemoveAll()) lease->unstarted.Clear();
  frames_.Restart();
  std::map<JobId, core::IntervalSet> held;
  frames_.AddOffers(&held);
  for (const auto& slot : slots_) {
    if (!slot->busy_) continue;
    slot->lease_->live = false;
    held[slot->lease_->job->id].Add(slot->Open());
  }
  // The scheduler tells again what it wants of the others.
  std::vector<JobId> idle;
  for (const auto& [id, job] : jobs_) {
    if (!held.contains(id)) idle.push_back(id);
  }
  for (const JobId id : idle) Forget(id);
  std::vector<Offer> offers;
  for (const auto& [job, tasks] : held) {
    if (!tasks.empty()) offers.push_back({job, tasks.intervals()});
  }
  return offers;
}

void Engine::Connected(int64_t window_bytes) {
  MutexLock lock(&mu_);
  connected_ = true;
  frames_.set_window(window_bytes);
  if (paused_) Send(Paused());
  if (draining_) Send(Draining{drain_reason_});
  Wake();
}

void Engine::Disconnected() {
  MutexLock lock(&mu_);
  connected_ = false;
  outgoing_.clear();
}

std::vector<Outgoing> Engine::TakeOutgoing() {
  MutexLock lock(&mu_);
  wake_pending_ = false;
  std::vector<Outgoing> out;
  if (!connected_) return out;
  out.swap(outgoing_);
  frames_.TakeSendable(&out);
  return out;
}

void Engine::Send(Outgoing message) {
  if (!connected_) return;
  outgoing_.push_back(std::move(message));
  Wake();
}

void Engine::Wake() {
  if (wake_pending_) return;
  wake_pending_ = true;
  wake_();
}

void Engine::WakeSlots() { ++work_version_; }

void Engine::UpdatePressure() {
  const int64_t held = frames_.held_bytes();
  full_ = held >= options_.buffer_bytes;
  if (!paused_ && held >= options_.buffer_bytes / 2) {
    paused_ = true;
    Send(Paused());
  } else if (paused_ && held <= options_.buffer_bytes / 4) {
    paused_ = false;
    Send(Resumed());
  }
  if (DrainedLocked()) Wake();
}

// ---- what the scheduler says ----

Engine::JobPtr Engine::FindJob(
    JobId id, const std::shared_ptr<const JobRequest>& request) {
  const auto it = jobs_.find(id);
  if (it != jobs_.end()) {
    if (request == nullptr ||
        request->fingerprint == it->second->request->fingerprint) {
      if (request != nullptr) it->second->request = request;
      return it->second;
    }
    // Another scheduler's job of the same number.
    Forget(id);
  }
  if (request == nullptr) return nullptr;
  auto job = std::make_shared<JobState>(id);
  job->request = request;
  jobs_[id] = job;
  return job;
}

void Engine::Handle(const Lease& lease) {
  MutexLock lock(&mu_);
  const JobPtr job = FindJob(lease.job, lease.request);
  if (job == nullptr) {
    Send(TasksFailed{
        lease.job, lease.lease, lease.tasks,
        absl::StrCat("the worker was not told what job ", lease.job, " is"),
        true});
    return;
  }
  if (draining_) {
    Send(LeaseReturned{lease.job, lease.lease, {lease.tasks}});
    return;
  }
  auto state = std::make_shared<LeaseState>();
  state->id = lease.lease;
  state->job = job;
  state->alone = lease.alone;
  state->unstarted.Add(lease.tasks);
  queue_.Add(std::move(state), lease.front);
  WakeSlots();
}

Engine::LeasePtr Engine::FindLease(JobId job, LeaseId lease) {
  for (const auto& slot : slots_) {
    if (slot->busy_ && slot->lease_->id == lease && slot->lease_->live &&
        slot->lease_->job->id == job) {
      return slot->lease_;
    }
  }
  return queue_.Find(job, lease);
}

void Engine::Reclaim(const LeaseState* lease) {
  for (const auto& slot : slots_) {
    if (slot->busy_ && slot->lease_.get() == lease) {
      queue_.Return(slot->lease_, slot->stretch_.CutFrom(
                                      std::numeric_limits<int64_t>::min()));
    }
  }
}

void Engine::ReclaimAll() {
  for (const auto& slot : slots_) {
    if (slot->busy_) Reclaim(slot->lease_.get());
  }
}

void Engine::Handle(const TakeBack& take_back) {
  MutexLock lock(&mu_);
  LeaseReturned returned = {take_back.job, take_back.lease, {}};
  const LeasePtr lease = FindLease(take_back.job, take_back.lease);
  if (lease != nullptr) {
    Reclaim(lease.get());
    returned.tasks = lease->unstarted.Intersection(take_back.tasks).intervals();
    lease->unstarted.Remove(take_back.tasks);
    WakeSlots();
  }
  Send(std::move(returned));
}

void Engine::Handle(const Revoke& revoke) {
  MutexLock lock(&mu_);
  const core::IntervalSet tasks = ToSet(revoke.tasks);
  const LeasePtr lease = FindLease(revoke.job, revoke.lease);
  if (lease != nullptr) {
    Reclaim(lease.get());
    lease->unstarted.Remove(tasks);
    for (const auto& slot : slots_) {
      if (slot->busy_ && slot->lease_ == lease) {
        slot->dropped_.Add(tasks.Intersection(slot->OpenRange()));
      }
    }
    WakeSlots();
  }
  frames_.Drop(revoke.job, revoke.lease, tasks);
  UpdatePressure();
}

core::IntervalSet Engine::KeepOffered(const OfferAnswer& answer,
                                      const LeasePtr& lease) {
  const core::IntervalSet wanted = ToSet(answer.wanted);
  core::IntervalSet kept = frames_.Keep(answer.job, wanted, lease);
  for (const auto& slot : slots_) {
    if (!slot->busy_ || slot->lease_->live || slot->lease_->job != lease->job) {
      continue;
    }
    slot->dropped_.Add(wanted.Missing(slot->OpenRange()));
    slot->lease_ = lease;
    kept.Add(slot->Open());
  }
  for (TasksFailed& failed : offered_failures_) {
    if (failed.job != answer.job || !wanted.ContainsAll(failed.tasks)) continue;
    kept.Add(failed.tasks);
    failed.lease = answer.lease;
    Send(failed);
  }
  offered_failures_.erase(
      std::remove_if(
          offered_failures_.begin(), offered_failures_.end(),
          [&](const TasksFailed& failed) { return failed.job == answer.job; }),
      offered_failures_.end());
  return kept;
}

void Engine::Handle(const OfferAnswer& answer) {
  MutexLock lock(&mu_);
  core::IntervalSet lost = ToSet(answer.wanted);
  const auto it = jobs_.find(answer.job);
  const bool same = it != jobs_.end() && (answer.request == nullptr ||
                                          answer.request->fingerprint ==
                                              it->second->request->fingerprint);
  if (same) {
    auto lease = std::make_shared<LeaseState>();
    lease->id = answer.lease;
    lease->job = it->second;
    lost.Remove(KeepOffered(answer, lease));
  } else if (it != jobs_.end()) {
    // Another scheduler's job of the same number.
    Forget(answer.job);
  }
  if (!lost.empty()) {
    Send(LeaseReturned{answer.job, answer.lease, lost.intervals()});
  }
  UpdatePressure();
  Wake();
}

void Engine::Acknowledge(uint64_t sequence) {
  MutexLock lock(&mu_);
  frames_.Acknowledge(sequence);
  UpdatePressure();
  // The window has room.
  Wake();
}

void Engine::ForgetJob(JobId id) {
  MutexLock lock(&mu_);
  Forget(id);
}

void Engine::Forget(JobId id) {
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) return;
  const JobPtr job = std::move(it->second);
  jobs_.erase(it);
  job->forgotten = true;
  ++forgotten_jobs_;
  for (const auto& slot : slots_) {
    if (slot->busy_ && slot->lease_->job == job) Reclaim(slot->lease_.get());
  }
  for (const LeasePtr& lease : queue_.RemoveJob(job.get())) {
    lease->unstarted.Clear();
  }
  frames_.DropJob(id);
  WakeSlots();
  UpdatePressure();
}

// ---- the end ----

void Engine::Drain(const std::string& reason) {
  MutexLock lock(&mu_);
  if (draining_) return;
  draining_ = true;
  drain_reason_ = reason;
  Send(Draining{reason});
  ReclaimAll();
  for (const LeasePtr& lease : queue_.RemoveAll()) {
    if (lease->unstarted.empty()) continue;
    Send(
        LeaseReturned{lease->job->id, lease->id, lease->unstarted.intervals()});
    lease->unstarted.Clear();
  }
  if (DrainedLocked()) Wake();
}

bool Engine::DrainedLocked() const {
  return draining_ && busy_slots_ == 0 && frames_.empty() &&
         offered_failures_.empty();
}

bool Engine::drained() {
  MutexLock lock(&mu_);
  return DrainedLocked() && outgoing_.empty();
}

Engine::Load Engine::load() {
  Load load;
  load.running.reserve(slots_.size());
  for (const auto& slot : slots_) {
    const std::optional<RunningTask> running = slot->state().Get();
    if (running.has_value()) load.running.push_back(*running);
  }
  load.tasks_done = tasks_done_;
  MutexLock lock(&mu_);
  load.held_bytes = frames_.held_bytes();
  return load;
}

// ---- for slots ----

Engine::Work Engine::ChooseWork(const Slot& slot) {
  Work work;
  if (full_) return work;
  work.lease = queue_.First();
  if (work.lease == nullptr) return work;
  std::optional<int64_t> preferred;
  const Slot::ReadAhead& own = *slot.ahead_;
  if (own.state != Slot::ReadAhead::State::kNone && !work.lease->alone &&
      own.lease->job == work.lease->job &&
      own.lease->unstarted.Contains(own.task)) {
    work.lease = own.lease;
    preferred = own.task;
  } else if (slot.busy_ && slot.lease_ == work.lease) {
    preferred = slot.stretch_.left().begin;
  }
  const double task_ns = work.lease->job->task_ns;
  const int64_t least =
      task_ns > 0 ? static_cast<int64_t>(kLeastStretchNs / task_ns) : 1;
  work.tasks = queue_.Choose(*work.lease, preferred,
                             static_cast<int>(slots_.size()), least);
  // What is read ahead for another slot is left to it.
  for (const auto& other : slots_) {
    const Slot::ReadAhead& ahead = *other->ahead_;
    if (other.get() != &slot && ahead.lease == work.lease &&
        ahead.state != Slot::ReadAhead::State::kNone &&
        ahead.task > work.tasks.begin) {
      work.tasks.end = std::min(work.tasks.end, ahead.task);
    }
  }
  return work;
}

double Engine::LeftNanos(const Slot& slot) const {
  const auto left = static_cast<double>(slot.stretch_.left().size());
  const double task_ns = slot.lease_->job->task_ns;
  double left_ns = left * (task_ns > 0 ? task_ns : kLeastStretchNs);
  // Short tasks behind a long one wait for that too.
  const std::optional<RunningTask> running = slot.state().Get();
  if (left > 0 && running.has_value()) {
    left_ns += static_cast<double>(NowNanos() - running->start_ns);
  }
  return left_ns;
}

bool Engine::Rebalance(const Slot* idle) {
  if (full_) return false;
  Slot* richest = nullptr;
  double most_ns = kLeastStretchNs;
  for (const auto& slot : slots_) {
    if (slot.get() == idle || !slot->busy_ || slot->lease_->alone) continue;
    const double left_ns = LeftNanos(*slot);
    if (left_ns < most_ns) continue;
    richest = slot.get();
    most_ns = left_ns;
  }
  if (richest == nullptr) return false;
  const core::Interval left = richest->stretch_.left();
  const core::Interval cut =
      richest->stretch_.CutFrom(left.begin + left.size() / 2);
  queue_.Return(richest->lease_, cut);
  return cut.size() > 0;
}

void Engine::SlotIsIdle() {
  --busy_slots_;
  if (DrainedLocked()) Wake();
}

void Engine::JobOpened(
    const JobPtr& job,
    absl::StatusOr<std::shared_ptr<const WorkerJob>> opened) {
  job->opening = false;
  WakeSlots();
  if (opened.ok()) {
    job->opened = *std::move(opened);
    return;
  }
  const std::string message(
      opened.status().message().substr(0, kMostMessageBytes));
  for (const LeasePtr& lease : queue_.RemoveJob(job.get())) {
    for (const core::Interval& run : lease->unstarted.intervals()) {
      Send(TasksFailed{job->id, lease->id, run, message, true});
    }
    lease->unstarted.Clear();
  }
}

void Engine::AddFrame(Slot* slot, core::Interval tasks, std::string bytes,
                      absl::Duration busy) {
  const LeasePtr lease = slot->lease_;
  slot->open_begin_ = tasks.end;
  const double task_ns =
      absl::ToDoubleNanoseconds(busy) / static_cast<double>(tasks.size());
  JobState& job = *lease->job;
  job.task_ns = job.task_ns > 0 ? 0.75 * job.task_ns + 0.25 * task_ns : task_ns;
  if (!job.forgotten) {
    frames_.Add(lease, tasks, std::move(bytes), busy, slot->dropped_);
    Wake();
  }
  slot->dropped_.Remove(tasks);
  UpdatePressure();
}

void Engine::AddFailure(Slot* slot, core::Interval tasks,
                        const absl::Status& status) {
  const LeasePtr lease = slot->lease_;
  slot->open_begin_ = tasks.end;
  const std::string message(status.message().substr(0, kMostMessageBytes));
  for (const core::Interval& run : slot->dropped_.Missing(tasks).intervals()) {
    if (lease->job->forgotten) break;
    const TasksFailed failed = {lease->job->id, lease->id, run, message,
                                IsRetryable(status.code())};
    if (lease->live) {
      Send(failed);
    } else {
      offered_failures_.push_back(failed);
    }
  }
  slot->dropped_.Remove(tasks);
}

// ---- open frames ----

void Engine::RunFlusher() {
  // Slots close their frames themselves, but for one that a long task keeps
  // open.
  const absl::Duration age = 2 * options_.frame_age;
  for (;;) {
    {
      MutexLock lock(&mu_);
      mu_.Await([this] {
        mu_.AssertHeld();
        return stopping_ || busy_slots_ > 0;
      });
      if (mu_.AwaitWithDeadline([this] { return stopping_.load(); },
                                absl::Now() + options_.frame_age)) {
        return;
      }
    }
    for (const auto& slot : slots_) slot->FlushOld(age);
    MutexLock lock(&mu_);
    // An idle slot may take what waits behind a task that turned out long.
    if (busy_slots_ < static_cast<int>(slots_.size())) WakeSlots();
  }
}

}  // namespace internode::worker
