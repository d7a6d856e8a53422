// The part of the engine that reads blocks before slots need them.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "worker/engine/engine.h"
#include "worker/engine/slot.h"

namespace internode::worker {

void Engine::PlanAhead(Slot* slot) {
  using State = Slot::ReadAhead::State;
  Slot::ReadAhead& ahead = *slot->ahead_;
  if (ahead.state == State::kReading) return;
  std::vector<WorkQueue::Place> taken;
  taken.reserve(slots_.size());
  int64_t bytes = 0;
  for (const auto& other : slots_) {
    const Slot::ReadAhead& others = *other->ahead_;
    if (other.get() == slot || others.state == State::kNone) continue;
    taken.push_back({others.lease, others.task});
    bytes += others.bytes;
  }
  const core::Interval left = slot->stretch_.left();
  const WorkQueue::Place place =
      left.size() > 0 ? WorkQueue::Place{slot->lease_, left.begin}
                      : queue_.Ahead(taken, static_cast<int>(slots_.size()));
  if (ahead.state == State::kReady && ahead.lease == place.lease &&
      ahead.task == place.task) {
    return;
  }
  if (IsNeededElsewhere(*slot)) return;
  ahead.state = State::kNone;
  if (place.lease == nullptr) return;
  // It may be there already, for a slot that was to have the task.
  if (std::find(taken.begin(), taken.end(), place) != taken.end()) return;
  const std::shared_ptr<const WorkerJob>& job = place.lease->job->opened;
  if (!job->reads || place.task >= job->plan.num_tasks()) return;
  ahead.bytes = job->plan.Task(place.task).num_pixels() *
                std::max<int64_t>(1, job->bytes_per_pixel);
  if (bytes > 0 && bytes + ahead.bytes > options_.read_ahead_bytes) return;
  ahead.lease = place.lease;
  ahead.task = place.task;
  ahead.job = job;
  ahead.state = State::kWanted;
}

bool Engine::IsNeededElsewhere(const Slot& slot) const {
  const Slot::ReadAhead& ahead = *slot.ahead_;
  if (ahead.state != Slot::ReadAhead::State::kReady) return false;
  return std::any_of(slots_.begin(), slots_.end(), [&](const auto& other) {
    return other.get() != &slot && other->busy_ &&
           other->lease_ == ahead.lease && other->open_begin_ <= ahead.task &&
           ahead.task < other->stretch_.left().end;
  });
}

std::optional<absl::Status> Engine::TakeAhead(
    const std::shared_ptr<const WorkerJob>& job, int64_t task,
    core::Block* block) {
  using State = Slot::ReadAhead::State;
  for (const auto& holder : slots_) {
    const auto has_it = [&](State state) {
      const Slot::ReadAhead& ahead = *holder->ahead_;
      return ahead.state == state && ahead.job == job && ahead.task == task;
    };
    // The caller is sooner.
    if (has_it(State::kWanted)) holder->ahead_->state = State::kNone;
    mu_.Await([&] { return !has_it(State::kReading); });
    if (!has_it(State::kReady)) continue;
    std::swap(*block, holder->ahead_->block);
    holder->ahead_->state = State::kNone;
    return holder->ahead_->status;
  }
  return std::nullopt;
}

Slot* Engine::WantsRead() {
  for (const auto& slot : slots_) {
    if (slot->ahead_->state == Slot::ReadAhead::State::kWanted) {
      return slot.get();
    }
  }
  return nullptr;
}

void Engine::RunReader() {
  for (;;) {
    Slot* slot = nullptr;
    std::shared_ptr<const WorkerJob> job;
    int64_t task = 0;
    {
      MutexLock lock(&mu_);
      mu_.Await([&] {
        mu_.AssertHeld();
        slot = WantsRead();
        return stopping_ || slot != nullptr;
      });
      if (stopping_) return;
      slot->ahead_->state = Slot::ReadAhead::State::kReading;
      job = slot->ahead_->job;
      task = slot->ahead_->task;
    }
    // Nobody else touches the block meanwhile.
    const absl::Status status =
        job->read(job->plan.Task(task), &slot->ahead_->block);
    std::unique_ptr<Slot::ReadAhead> dropped;
    MutexLock lock(&mu_);
    slot->ahead_->status = status;
    slot->ahead_->state = Slot::ReadAhead::State::kReady;
    if (slot->ahead_->lease->job->forgotten && !slot->busy_) {
      dropped = slot->ForgetAhead();
    }
  }
}

}  // namespace internode::worker
