#include "tests/sim/sim_worker.h"

#include <algorithm>
#include <utility>

#include "tests/sim/world.h"

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

constexpr int64_t kMostTasksPerFrame = 1000;
constexpr absl::Duration kHeartbeat = absl::Seconds(5);
// Between attempts to connect, as of the real worker.
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(50);
constexpr absl::Duration kLastBackoff = absl::Seconds(5);
// With a slow disk.
constexpr double kSlow = 0.125;

}  // namespace

SimWorker::SimWorker(World* world, size_t index, int slots, double speed)
    : world_(world),
      index_(index),
      slots_(slots),
      speed_(speed),
      running_(static_cast<size_t>(slots)) {}

void SimWorker::Start() {
  Recount();
  Connect();
  ScheduleFaults();
}

void SimWorker::Recount() {
  const absl::Duration now = world_->now();
  const double elapsed = absl::ToDoubleSeconds(now - counted_at_);
  busy_ += counted_busy_ * elapsed;
  disconnected_ += counted_disconnected_ * elapsed;
  counted_at_ = now;
  const double speed = alive_ && !frozen_ ? speed_ * factor_ : 0;
  const bool free =
      !paused_ && !draining_ && !out_of_reach_ && world_->serving();
  const double idle = free ? speed * (slots_ - num_busy_) : 0;
  counted_busy_ = speed * num_busy_;
  counted_disconnected_ = connected_ ? 0 : idle;
  const double capacity = counted_busy_ + idle;
  if (capacity != counted_capacity_) {
    world_->capacity_.Change(now, capacity - counted_capacity_);
  }
  counted_capacity_ = capacity;
}

void SimWorker::SetBusy(size_t slot, std::optional<Slice> slice) {
  num_busy_ += (slice.has_value() ? 1 : 0) - (running_[slot] ? 1 : 0);
  running_[slot] = std::move(slice);
  Recount();
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
  if (!connected_ || out_of_reach_) return;
  // One connection keeps the order.
  last_told_ = std::max(last_told_ + absl::Nanoseconds(1),
                        world_->now() + world_->Latency());
  world_->Send(last_told_ - world_->now(), std::move(event));
}

void SimWorker::Connect() {
  if (connected_) return;
  if (!world_->running_ || out_of_reach_) {
    ConnectLater();
    return;
  }
  connected_ = true;
  attempts_ = 0;
  ++epoch_;
  grants_.clear();
  WorkerJoined joined = {id(), epoch_, slots_, {}};
  for (const auto& [key, frame] : frames_) {
    joined.offers.push_back({frame.slice.job, frame.slice.tasks});
  }
  for (const auto& slice : running_) {
    if (slice.has_value()) joined.offers.push_back({slice->job, slice->tasks});
  }
  Tell(std::move(joined));
  if (paused_) Tell(WorkerPaused{id(), epoch_});
  if (draining_) Tell(WorkerDraining{id(), epoch_});
  Recount();
  LeaveIfDrained();
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
  Recount();
  ConnectLater();
}

void SimWorker::ConnectLater() {
  const absl::Duration longest =
      std::min(kLastBackoff, kFirstBackoff * (1 << std::min(attempts_, 10)));
  ++attempts_;
  Later(longest * (0.5 + 0.5 * world_->Uniform()), [this] { Connect(); });
}

void SimWorker::Receive(const GrantLease& grant) {
  if (draining_) {
    Tell(LeaseReturned{id(), epoch_, grant.lease, {grant.tasks}});
    return;
  }
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
  for (size_t slot = 0; slot < running_.size(); ++slot) {
    if (!running_[slot].has_value() || running_[slot]->lease != ask.lease) {
      continue;
    }
    const Interval cut = CutUnstarted(slot, ask.tasks);
    if (cut.size() > 0) returned.tasks.push_back(cut);
  }
  std::sort(
      returned.tasks.begin(), returned.tasks.end(),
      [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  Tell(std::move(returned));
}

absl::Duration SimWorker::TimeOf(const Slice& slice, Interval tasks) const {
  absl::Duration time;
  for (int64_t task = tasks.begin; task < tasks.end; ++task) {
    time += world_->Work(slice.job, task) / slice.rate;
  }
  return time;
}

Interval SimWorker::CutUnstarted(size_t slot, Interval asked) {
  Slice& slice = *running_[slot];
  const int64_t end = slice.tasks.end;
  if (asked.end < end) return {end, end};
  int64_t unstarted = slice.tasks.begin;
  for (absl::Duration at = slice.started;
       unstarted < end && at <= world_->now(); ++unstarted) {
    at += TimeOf(slice, {unstarted, unstarted + 1});
  }
  const Interval cut = {std::max(unstarted, asked.begin), end};
  if (cut.size() <= 0) return {end, end};
  slice.tasks.end = cut.begin;
  slice.busy = TimeOf(slice, slice.tasks);
  slice.serial = next_serial_++;
  Later(slice.started + slice.busy - world_->now(),
        [this, slot, serial = slice.serial] { Finish(slot, serial); });
  return cut;
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
        SetBusy(slot, std::nullopt);
      }
    }
  }
  FillSlots();
  LeaveIfDrained();
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
  for (size_t slot = 0; slot < running_.size(); ++slot) {
    auto& slice = running_[slot];
    if (!slice.has_value() || slice->job != answer.job) continue;
    if (wanted.CountWithin(slice->tasks) == 0) {
      SetBusy(slot, std::nullopt);
    } else {
      slice->lease = answer.lease;
    }
  }
  FillSlots();
  LeaveIfDrained();
}

void SimWorker::Receive(const CloseWorker&) { Disconnect(false); }

void SimWorker::Receive(const DrainWorker&) { Drain(); }

void SimWorker::Acknowledge(uint64_t key) {
  frames_.erase(key);
  LeaveIfDrained();
}

void SimWorker::Drain() {
  if (draining_) return;
  draining_ = true;
  for (const Grant& grant : grants_) {
    if (grant.unstarted.empty()) continue;
    Tell(LeaseReturned{id(), epoch_, grant.lease, grant.unstarted.intervals()});
  }
  grants_.clear();
  Recount();
  LeaveIfDrained();
}

void SimWorker::LeaveIfDrained() {
  if (!draining_ || !connected_ || num_busy_ > 0 || !frames_.empty()) return;
  ++world_->result_.num_drains;
  Tell(WorkerLost{id(), epoch_, "drained"});
  ++life_;
  connected_ = false;
  draining_ = false;
  paused_ = false;
  factor_ = 1;
  alive_ = false;
  Recount();
  Later(absl::Seconds(1 + 2 * world_->Uniform()), [this] {
    alive_ = true;
    Recount();
    Connect();
    ScheduleFaults();
  });
}

SimWorker::Slice SimWorker::NextSlice(Grant* grant) {
  const Interval run = *grant->unstarted.First();
  Slice slice;
  slice.lease = grant->lease;
  slice.job = grant->job;
  slice.tasks = {run.begin, run.begin};
  slice.started = world_->now();
  slice.rate = speed_ * factor_;
  // A task that will go wrong runs, and is reported, by itself.
  while (slice.tasks.end < run.end &&
         slice.busy < world_->options_.frame_interval &&
         slice.tasks.size() < kMostTasksPerFrame) {
    const bool bad = world_->IsBad(slice.job, slice.tasks.end);
    if (bad && slice.tasks.size() > 0) break;
    slice.busy += world_->Work(slice.job, slice.tasks.end) / slice.rate;
    ++slice.tasks.end;
    if (bad) break;
  }
  grant->unstarted.Remove(slice.tasks);
  slice.serial = next_serial_++;
  return slice;
}

void SimWorker::FillSlots() {
  if (paused_) return;
  for (size_t slot = 0; slot < running_.size(); ++slot) {
    if (running_[slot].has_value()) continue;
    while (!grants_.empty() && grants_.front().unstarted.empty()) {
      grants_.pop_front();
    }
    if (grants_.empty()) return;
    Run(slot, NextSlice(&grants_.front()));
  }
}

void SimWorker::Run(size_t slot, Slice slice) {
  const uint64_t serial = slice.serial;
  const absl::Duration busy = slice.busy;
  SetBusy(slot, std::move(slice));
  Later(busy, [this, slot, serial] { Finish(slot, serial); });
}

void SimWorker::Finish(size_t slot, uint64_t serial) {
  if (!running_[slot].has_value() || running_[slot]->serial != serial) return;
  const Slice slice = *running_[slot];
  if (world_->IsPoison(slice.tasks.begin)) {
    Die("signal 11");
    return;
  }
  SetBusy(slot, std::nullopt);
  if (slice.tasks.size() == 1 &&
      world_->IsFlaky(slice.job, slice.tasks.begin) &&
      world_->failed_once_.emplace(slice.job, slice.tasks.begin).second) {
    Tell(TaskFailed{id(), epoch_, slice.lease, slice.tasks, true, "flaky"});
  } else {
    frames_[serial] = {slice};
    SendFrame(serial);
  }
  FillSlots();
  LeaveIfDrained();
}

void SimWorker::SendFrame(uint64_t key) {
  if (!connected_ || out_of_reach_) return;
  const Slice& slice = frames_.at(key).slice;
  const Faults& faults = world_->options_.faults;
  const int copies = world_->Happens(faults.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    absl::Duration delay = world_->Latency();
    if (world_->Happens(faults.delays)) {
      delay += absl::Seconds(2) * world_->Uniform();
    }
    world_->SendFrame(
        index_, key, delay,
        FrameArrived{
            {}, id(), epoch_, slice.lease, slice.job, slice.tasks, slice.busy});
  }
}

void SimWorker::Die(const std::string& cause) {
  const bool was_connected = connected_ && !out_of_reach_;
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
  attempts_ = 0;
  frozen_ = false;
  held_back_.clear();
  grants_.clear();
  frames_.clear();
  for (auto& slice : running_) slice.reset();
  num_busy_ = 0;
  paused_ = false;
  draining_ = false;
  factor_ = 1;
  alive_ = false;
  Recount();
  Later(restart, [this] {
    alive_ = true;
    Recount();
    Connect();
    ScheduleFaults();
  });
}

void SimWorker::Freeze(absl::Duration how_long) {
  frozen_ = true;
  Recount();
  world_->At(world_->now() + how_long, [this, life = life_] {
    if (life != life_) return;
    frozen_ = false;
    Recount();
    std::vector<std::function<void()>> messages;
    messages.swap(held_back_);
    for (auto& message : messages) {
      if (life == life_) Deliver(std::move(message));
    }
  });
}

void SimWorker::PutOutOfReach(absl::Duration how_long) {
  if (out_of_reach_) return;
  out_of_reach_ = true;
  Recount();
  world_->At(world_->now() + how_long, [this] {
    out_of_reach_ = false;
    Recount();
    // What was sent meanwhile is lost, and with it the connection.
    Deliver([this] { Disconnect(true); });
  });
}

void SimWorker::SlowDown(absl::Duration how_long) {
  factor_ = kSlow;
  Recount();
  Later(how_long, [this] {
    factor_ = 1;
    Recount();
  });
}

void SimWorker::Pause(absl::Duration how_long) {
  if (paused_) return;
  paused_ = true;
  Tell(WorkerPaused{id(), epoch_});
  Recount();
  Later(how_long, [this] {
    paused_ = false;
    Tell(WorkerResumed{id(), epoch_});
    Recount();
    FillSlots();
  });
}

void SimWorker::ScheduleFaults() {
  const Faults& faults = world_->options_.faults;
  const std::vector<std::pair<double, std::function<void()>>> kinds = {
      {faults.deaths_per_hour, [this] { Die("signal 9"); }},
      {faults.freezes_per_hour,
       [this] {
         Freeze(2 * world_->options_.core.worker_ttl * world_->Uniform());
       }},
      {faults.cuts_per_hour, [this] { Disconnect(true); }},
      {faults.slow_disks_per_hour,
       [this] { SlowDown(absl::Seconds(20 * world_->Uniform())); }},
      {faults.pauses_per_hour,
       [this] { Pause(absl::Seconds(2 * world_->Uniform())); }},
      {faults.drains_per_hour, [this] {
         if (world_->Happens(0.5)) {
           world_->DrainOne(index_);
         } else if (connected_) {
           Tell(WorkerDraining{id(), epoch_});
           Drain();
         }
       }}};
  double sum = 0;
  for (const auto& [rate, what] : kinds) sum += rate;
  const absl::Duration pause = world_->Pause(sum);
  if (pause == absl::InfiniteDuration()) return;
  double chosen = sum * world_->Uniform();
  size_t kind = 0;
  while (kind + 1 < kinds.size() && chosen >= kinds[kind].first) {
    chosen -= kinds[kind++].first;
  }
  world_->At(world_->now() + pause,
             [this, life = life_, what = kinds[kind].second] {
               if (life != life_) return;
               if (!frozen_) what();
               if (life == life_) ScheduleFaults();
             });
}

}  // namespace internode::sim
