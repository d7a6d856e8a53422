#ifndef INTERNODE_TESTS_SIM_SIM_WORKER_H_
#define INTERNODE_TESTS_SIM_SIM_WORKER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/action.h"
#include "scheduler/core/event.h"

namespace internode::sim {

class World;

// One worker process in a World: slots that run what was granted, frames that
// are kept until they are acknowledged, and a connection that can break.
class SimWorker {
 public:
  SimWorker(World* world, size_t index, int slots, double speed);

  void Start();

  // Messages of the scheduler, as they come in.
  void Receive(const scheduler::core::GrantLease& grant);
  void Receive(const scheduler::core::TakeBack& ask);
  void Receive(const scheduler::core::RevokeLease& revoke);
  void Receive(const scheduler::core::AnswerOffer& answer);
  void Receive(const scheduler::core::CloseWorker& close);
  void Receive(const scheduler::core::DrainWorker& drain);
  void Acknowledge(uint64_t key);
  // Runs `message` now, or when a frozen process goes on.
  void Deliver(std::function<void()> message);

  // The connection is gone; what was granted but not started is dropped.
  void Disconnect(bool tell_scheduler);
  void Connect();
  // The process ends, with all that it holds; the supervisor starts another.
  void Die(const std::string& cause);
  void Freeze(absl::Duration how_long);
  // Messages to and from it are lost, and nobody is told.
  void PutOutOfReach(absl::Duration how_long);
  // Finishes what runs, gives back the rest, delivers and leaves; another
  // process comes later.
  void Drain();

  scheduler::core::WorkerId id() const { return {index_ + 1}; }
  scheduler::core::Epoch epoch() const { return epoch_; }
  bool connected() const { return connected_; }
  bool out_of_reach() const { return out_of_reach_; }
  double speed() const { return speed_; }

  // Brings the world's capacity, and the sums below, up to date: called after
  // each change.
  void Recount();
  // Work that its slots did, and could have done while it was not connected.
  absl::Duration busy() const { return absl::Seconds(busy_); }
  absl::Duration disconnected() const { return absl::Seconds(disconnected_); }

 private:
  struct Grant {
    scheduler::core::LeaseId lease;
    scheduler::core::JobId job;
    scheduler::core::IntervalSet unstarted;
  };
  // Consecutive tasks that one slot runs, and delivers in one frame.
  struct Slice {
    scheduler::core::LeaseId lease;
    scheduler::core::JobId job;
    scheduler::core::Interval tasks;
    absl::Duration busy;
    uint64_t serial = 0;
    // Its tasks run one after the other from then on, so much work in a second.
    absl::Duration started;
    double rate = 1;
  };
  struct Frame {
    Slice slice;
  };

  void FillSlots();
  Slice NextSlice(Grant* grant);
  void Run(size_t slot, Slice slice);
  absl::Duration TimeOf(const Slice& slice,
                        scheduler::core::Interval tasks) const;
  // Takes from the end of what a slot runs the tasks that it has not begun, of
  // `asked`; returns them.
  scheduler::core::Interval CutUnstarted(size_t slot,
                                         scheduler::core::Interval asked);
  void Finish(size_t slot, uint64_t serial);
  void SendFrame(uint64_t key);
  void ConnectLater();
  void Heartbeat();
  void SetBusy(size_t slot, std::optional<Slice> slice);
  void LeaveIfDrained();
  void SlowDown(absl::Duration how_long);
  void Pause(absl::Duration how_long);
  void ScheduleFaults();
  std::vector<scheduler::core::RunningTask> Running() const;
  // Calls `what` later, unless the process has died by then.
  void Later(absl::Duration delay, std::function<void()> what);
  // To the scheduler, over this connection, in order.
  void Tell(scheduler::core::Event event);

  World* const world_;
  const size_t index_;
  const int slots_;
  const double speed_;

  scheduler::core::Epoch epoch_ = 0;
  bool connected_ = false;
  // Since it was last connected.
  int attempts_ = 0;
  bool alive_ = true;
  bool frozen_ = false;
  bool out_of_reach_ = false;
  bool paused_ = false;
  bool draining_ = false;
  // Of the tasks that it starts now: below 1 while its disk is slow.
  double factor_ = 1;
  std::vector<std::function<void()>> held_back_;
  // Counts the processes.
  uint64_t life_ = 0;

  std::deque<Grant> grants_;
  std::vector<std::optional<Slice>> running_;
  int num_busy_ = 0;
  std::map<uint64_t, Frame> frames_;
  uint64_t next_serial_ = 1;
  absl::Duration last_told_;

  // What was counted last, and since when: the rates of slots that are busy,
  // that could be but are not connected, and of the capacity.
  absl::Duration counted_at_;
  double counted_busy_ = 0;
  double counted_disconnected_ = 0;
  double counted_capacity_ = 0;
  // In seconds of speed 1.
  double busy_ = 0;
  double disconnected_ = 0;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_SIM_WORKER_H_
