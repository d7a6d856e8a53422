#include "tests/sim/sim_worker.h"

#include <algorithm>
#include <utility>

#include "tests/sim/world.h"

namespace internode::sim {
namespace {

using namespace ::internode::scheduler::core;  // NOLINT(build/namespaces)

// A slot delivers what it has so often.
constexpr absl::Duration kFrameInterval = absl::Milliseconds(100);
constexpr int64_t kMostTasksPerFrame = 1000;
constexpr absl::Duration kHeartbeat = absl::Seconds(5);

}  // namespace

SimWorker::SimWorker(World* world, size_t index, int slots, double speed)
    : world_(world),
      index_(index),
      slots_(slots),
      speed_(speed),
      running_(static_cast<size_t>(slots)),
      idle_since_(static_cast<size_t>(slots), absl::InfiniteDuration()) {}

void SimWorker::Start() {
  Connect();
  ScheduleFaults();
}

void SimWorker::Later(absl::Duration delay, std::function<void()> what) {
  world_->At(world_->now() + delay,
             [this, life = life_, what = std::move(what)] {
               if (life == life_) Deliver(what);
             });
}

void SimWorker::Deliver(std::function<void()> message) {
  if (frozen_) {
    held_back_.push_back(std::move(message));
  } else {
    message();
  }
}

void SimWorker::Tell(Event event) {
  if (!connected_) return;
  // One connection keeps the order.
  last_told_ = std::max(last_told_ + absl::Nanoseconds(1),
                        world_->now() + world_->Latency());
  world_->Send(last_told_ - world_->now(), std::move(event));
}

void SimWorker::Connect() {
  if (connected_) return;
  if (!world_->running_) {
    Later(absl::Milliseconds(50 + 450 * world_->Uniform()),
          [this] { Connect(); });
    return;
  }
  connected_ = true;
  ++epoch_;
  WorkerJoined joined = {id(), epoch_, slots_, {}};
  for (const auto& [key, frame] : frames_) {
    joined.offers.push_back({frame.slice.job, frame.slice.tasks});
  }
  for (const auto& slice : running_) {
    if (slice.has_value()) joined.offers.push_back({slice->job, slice->tasks});
  }
  Tell(std::move(joined));
  Later(kHeartbeat * world_->Uniform(), [this, epoch = epoch_] {
    if (epoch == epoch_) Heartbeat();
  });
}

void SimWorker::Heartbeat() {
  if (!connected_) return;
  Tell(HeartbeatReceived{id(), epoch_, Running()});
  Later(kHeartbeat, [this, epoch = epoch_] {
    if (epoch == epoch_) Heartbeat();
  });
}

std::vector<RunningTask> SimWorker::Running() const {
  std::vector<RunningTask> running;
  for (const auto& slice : running_) {
    if (slice.has_value()) {
      running.push_back({slice->job, slice->tasks.begin, absl::Seconds(0)});
    }
  }
  return running;
}

void SimWorker::Disconnect(bool tell_scheduler) {
  if (!connected_) return;
  if (tell_scheduler) Tell(WorkerLost{id(), epoch_, "connection cut"});
  connected_ = false;
  grants_.clear();
  std::fill(idle_since_.begin(), idle_since_.end(), absl::InfiniteDuration());
  Later(absl::Milliseconds(50 + 450 * world_->Uniform()),
        [this] { Connect(); });
}

void SimWorker::Receive(const GrantLease& grant) {
  Grant added = {grant.lease, grant.job, IntervalSet(grant.tasks)};
  if (grant.front) {
    grants_.push_front(std::move(added));
  } else {
    grants_.push_back(std::move(added));
  }
  FillSlots();
}

void SimWorker::Receive(const TakeBack& ask) {
  LeaseReturned returned = {id(), epoch_, ask.lease, {}};
  for (Grant& grant : grants_) {
    if (grant.lease != ask.lease) continue;
    returned.tasks = grant.unstarted.Intersection(ask.tasks).intervals();
    grant.unstarted.Remove(ask.tasks);
  }
  Tell(std::move(returned));
}

void SimWorker::Receive(const RevokeLease& revoke) {
  for (const Interval& tasks : revoke.tasks) {
    for (Grant& grant : grants_) {
      if (grant.lease == revoke.lease) grant.unstarted.Remove(tasks);
    }
    for (size_t slot = 0; slot < running_.size(); ++slot) {
      const auto& slice = running_[slot];
      if (slice.has_value() && slice->lease == revoke.lease &&
          IntervalSet(tasks).ContainsAll(slice->tasks)) {
        running_[slot].reset();
        idle_since_[slot] = world_->now();
      }
    }
  }
  FillSlots();
}

void SimWorker::Receive(const AnswerOffer& answer) {
  IntervalSet wanted;
  for (const Interval& tasks : answer.wanted) wanted.Add(tasks);
  for (auto it = frames_.begin(); it != frames_.end();) {
    Slice& slice = it->second.slice;
    if (slice.job != answer.job) {
      ++it;
    } else if (wanted.CountWithin(slice.tasks) == 0) {
      it = frames_.erase(it);
    } else {
      slice.lease = answer.lease;
      SendFrame(it->first);
      ++it;
    }
  }
  for (auto& slice : running_) {
    if (!slice.has_value() || slice->job != answer.job) continue;
    if (wanted.CountWithin(slice->tasks) == 0) {
      slice.reset();
    } else {
      slice->lease = answer.lease;
    }
  }
  FillSlots();
}

void SimWorker::Receive(const CloseWorker&) { Disconnect(false); }

void SimWorker::Acknowledge(uint64_t key) { frames_.erase(key); }

SimWorker::Slice SimWorker::NextSlice(Grant* grant) {
  const Interval run = *grant->unstarted.First();
  Slice slice = {grant->lease, grant->job, {run.begin, run.begin}, {}, 0};
  // A task that will go wrong runs, and is reported, by itself.
  while (slice.tasks.end < run.end && slice.busy < kFrameInterval &&
         slice.tasks.size() < kMostTasksPerFrame) {
    const bool bad =
        world_->IsPoison(slice.tasks.end) ||
        (world_->IsFlaky(slice.job, slice.tasks.end) &&
         !world_->failed_once_.contains({slice.job, slice.tasks.end}));
    if (bad && slice.tasks.size() > 0) break;
    slice.busy += world_->Work(slice.job, slice.tasks.end) / speed_;
    ++slice.tasks.end;
    if (bad) break;
  }
  grant->unstarted.Remove(slice.tasks);
  slice.serial = next_serial_++;
  return slice;
}

void SimWorker::FillSlots() {
  for (size_t slot = 0; slot < running_.size(); ++slot) {
    if (running_[slot].has_value()) continue;
    while (!grants_.empty() && grants_.front().unstarted.empty()) {
      grants_.pop_front();
    }
    if (grants_.empty()) return;
    if (idle_since_[slot] < absl::InfiniteDuration()) {
      starved_ += world_->now() - idle_since_[slot];
    }
    Run(slot, NextSlice(&grants_.front()));
  }
}

void SimWorker::Run(size_t slot, Slice slice) {
  const uint64_t serial = slice.serial;
  const absl::Duration busy = slice.busy;
  running_[slot] = slice;
  Later(busy, [this, slot, serial] { Finish(slot, serial); });
}

void SimWorker::Finish(size_t slot, uint64_t serial) {
  if (!running_[slot].has_value() || running_[slot]->serial != serial) return;
  const Slice slice = *running_[slot];
  if (world_->IsPoison(slice.tasks.begin)) {
    Die("signal 11");
    return;
  }
  running_[slot].reset();
  idle_since_[slot] = connected_ ? world_->now() : absl::InfiniteDuration();
  if (slice.tasks.size() == 1 &&
      world_->IsFlaky(slice.job, slice.tasks.begin) &&
      world_->failed_once_.emplace(slice.job, slice.tasks.begin).second) {
    Tell(TaskFailed{id(), epoch_, slice.lease, slice.tasks, true, "flaky"});
  } else {
    frames_[serial] = {slice};
    SendFrame(serial);
  }
  FillSlots();
}

void SimWorker::SendFrame(uint64_t key) {
  if (!connected_) return;
  const Slice& slice = frames_.at(key).slice;
  const Faults& faults = world_->options_.faults;
  const int copies = world_->Happens(faults.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    absl::Duration delay = world_->Latency();
    if (world_->Happens(faults.delays))
      delay += absl::Seconds(2) * world_->Uniform();
    world_->SendFrame(
        index_, key, delay,
        FrameArrived{
            {}, id(), epoch_, slice.lease, slice.job, slice.tasks, slice.busy});
  }
}

void SimWorker::Die(const std::string& cause) {
  const bool was_connected = connected_;
  const absl::Duration restart = absl::Seconds(1);
  ++world_->result_.num_deaths;
  if (was_connected) {
    // The reports of the supervisor and of the connection race.
    const absl::Duration a = absl::Milliseconds(10 * world_->Uniform());
    const absl::Duration b = absl::Milliseconds(10 * world_->Uniform());
    world_->Send(a, WorkerLost{id(), epoch_, cause});
    std::optional<std::vector<RunningTask>> running;
    if (world_->Happens(0.9)) running = Running();
    world_->Send(b, ProcessDied{id(), epoch_, cause, running});
  }
  ++life_;
  connected_ = false;
  frozen_ = false;
  held_back_.clear();
  grants_.clear();
  frames_.clear();
  for (auto& slice : running_) slice.reset();
  std::fill(idle_since_.begin(), idle_since_.end(), absl::InfiniteDuration());
  down_ += restart;
  Later(restart, [this] {
    Connect();
    ScheduleFaults();
  });
}

void SimWorker::Freeze(absl::Duration how_long) {
  frozen_ = true;
  down_ += how_long;
  std::fill(idle_since_.begin(), idle_since_.end(), absl::InfiniteDuration());
  world_->At(world_->now() + how_long, [this, life = life_] {
    if (life != life_) return;
    frozen_ = false;
    std::vector<std::function<void()>> messages;
    messages.swap(held_back_);
    for (auto& message : messages) {
      if (life == life_) Deliver(std::move(message));
    }
  });
}

void SimWorker::ScheduleFaults() {
  const Faults& faults = world_->options_.faults;
  const absl::Duration death = world_->Pause(faults.deaths_per_hour);
  const absl::Duration freeze = world_->Pause(faults.freezes_per_hour);
  const absl::Duration cut = world_->Pause(faults.cuts_per_hour);
  const absl::Duration next = std::min({death, freeze, cut});
  if (next == absl::InfiniteDuration()) return;
  world_->At(world_->now() + next, [this, life = life_, next, death, freeze] {
    if (life != life_) return;
    if (next == death) {
      Die("signal 9");
      return;
    }
    if (next == freeze && !frozen_) {
      Freeze(2 * world_->options_.core.worker_ttl * world_->Uniform());
    } else if (!frozen_) {
      Disconnect(true);
    }
    ScheduleFaults();
  });
}

}  // namespace internode::sim
