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
  void Acknowledge(uint64_t key);
  // Runs `message` now, or when a frozen process goes on.
  void Deliver(std::function<void()> message);

  // The connection is gone; what was granted but not started is dropped.
  void Disconnect(bool tell_scheduler);
  void Connect();
  // The process ends, with all that it holds; the supervisor starts another.
  void Die(const std::string& cause);
  void Freeze(absl::Duration how_long);

  scheduler::core::WorkerId id() const { return {index_ + 1}; }
  scheduler::core::Epoch epoch() const { return epoch_; }
  bool connected() const { return connected_; }
  double speed() const { return speed_; }
  // Idle between two tasks, over all slots.
  absl::Duration starved() const { return starved_; }
  // Since when, and how long in sum, it could not work.
  absl::Duration down() const { return down_; }

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
  };
  struct Frame {
    Slice slice;
  };

  void FillSlots();
  Slice NextSlice(Grant* grant);
  void Run(size_t slot, Slice slice);
  void Finish(size_t slot, uint64_t serial);
  void SendFrame(uint64_t key);
  void Heartbeat();
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
  bool alive_ = true;
  bool frozen_ = false;
  std::vector<std::function<void()>> held_back_;
  // Counts the processes.
  uint64_t life_ = 0;

  std::deque<Grant> grants_;
  std::vector<std::optional<Slice>> running_;
  // When each slot became idle; infinite: before its first task, or after the
  // worker could not work.
  std::vector<absl::Duration> idle_since_;
  std::map<uint64_t, Frame> frames_;
  uint64_t next_serial_ = 1;
  absl::Duration last_told_;
  absl::Duration starved_;
  absl::Duration down_;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_SIM_WORKER_H_
