#ifndef INTERNODE_WORKER_ENGINE_ENGINE_H_
#define INTERNODE_WORKER_ENGINE_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "base/mutex.h"
#include "worker/engine/frame_buffer.h"
#include "worker/engine/messages.h"
#include "worker/engine/slot_page.h"
#include "worker/engine/work_queue.h"
#include "worker/engine/worker_job.h"

// What a worker process does: leases in, frames out. No network: messages are
// values, and the connection comes and goes as its owner tells.
//
// Each slot is a thread that takes a stretch of a lease's tasks, runs them
// ascending, and packs their results into frames. Another thread reads the next
// block of each slot ahead. A slot that has nothing to do takes half of what
// another has not started. docs/worker.md has the whole.

namespace internode::worker {

class Slot;

struct EngineOptions {
  // A frame is closed when it would have more bytes with another task like its
  // last one, or is so old, or when its slot has nothing more to do.
  int64_t frame_bytes = (int64_t{1} << 20) - (int64_t{64} << 10);
  absl::Duration frame_age = absl::Milliseconds(50);
  // Of frames not acknowledged. At half of it the worker pauses, at a quarter
  // it goes on; at all of it the slots wait.
  int64_t buffer_bytes = int64_t{64} << 20;
  // Of blocks that are read ahead, in sum.
  int64_t read_ahead_bytes = int64_t{256} << 20;
  // A slot that has nothing to do keeps the memory of its blocks so long for
  // the next job: the kernel clears what it gives anew.
  absl::Duration keep_memory = absl::Seconds(10);
};

// Thread-safe.
class Engine {
 public:
  // Starts one compute thread for each entry of `slots`, which outlives it.
  // `wake` is called, on any thread and under a lock, when TakeOutgoing has
  // something new: it must only post.
  Engine(const EngineOptions& options, absl::Span<SlotState> slots,
         OpenJob open, std::function<void()> wake);
  // Waits for what runs.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // ---- the connection ----

  // A connection is being made, the one before has ended. Drops what was not
  // started, and returns what Hello offers. Nothing is sent until Connected.
  std::vector<Offer> Connect();
  // The scheduler said Welcome.
  void Connected(int64_t window_bytes);
  void Disconnected();

  // What is to be sent now, in order. Nothing while not connected.
  std::vector<Outgoing> TakeOutgoing();

  // ---- what the scheduler says ----

  void Handle(const Lease& lease);
  void Handle(const TakeBack& take_back);
  void Handle(const Revoke& revoke);
  void Handle(const OfferAnswer& answer);
  void Acknowledge(uint64_t sequence);
  void ForgetJob(JobId job);

  // ---- the end ----

  // Finishes what runs, gives the rest back. Idempotent.
  void Drain(const std::string& reason);
  // Nothing runs, and nothing is held. `wake` is called when that comes true.
  bool drained();

  // ---- for heartbeats ----

  struct Load {
    std::vector<RunningTask> running;
    int64_t held_bytes = 0;
    int64_t tasks_done = 0;
  };
  Load load();

 private:
  friend class Slot;
  using LeasePtr = std::shared_ptr<LeaseState>;
  using JobPtr = std::shared_ptr<JobState>;

  void Send(Outgoing message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeSlots() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void UpdatePressure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  JobPtr FindJob(JobId id, const std::shared_ptr<const JobRequest>& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes what no slot has claimed of a lease, or of all, back into the queue.
  void Reclaim(const LeaseState* lease) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReclaimAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // How long the slot's tasks that it has not started will wait, roughly.
  double LeftNanos(const Slot& slot) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Moves half of what another slot has not started into the queue.
  bool Rebalance(const Slot* idle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReturnUnstarted() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Under the new lease: which of the wanted tasks are still held.
  core::IntervalSet KeepOffered(const OfferAnswer& answer,
                                const LeasePtr& lease)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // For slots.
  struct Work {
    LeasePtr lease;
    core::Interval tasks;
  };
  Work ChooseWork(const Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void JobOpened(const JobPtr& job,
                 absl::StatusOr<std::shared_ptr<const WorkerJob>> opened)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddFrame(Slot* slot, core::Interval tasks, std::string bytes,
                absl::Duration busy) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddFailure(Slot* slot, core::Interval tasks, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SlotIsIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PlanAhead(Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether another slot is about to need what was read ahead for this one.
  bool IsNeededElsewhere(const Slot& slot) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The block of a task if it was, or is being, read ahead, for whichever slot,
  // and how that went. Waits for it.
  std::optional<absl::Status> TakeAhead(
      const std::shared_ptr<const WorkerJob>& job, int64_t task,
      core::Block* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  LeasePtr FindLease(JobId job, LeaseId lease)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(JobId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool DrainedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void RunReader();
  Slot* WantsRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunFlusher();

  const EngineOptions options_;
  const OpenJob open_;
  const std::function<void()> wake_;

  // A slot's encoder lock comes before this one.
  Mutex mu_;
  std::map<JobId, JobPtr> jobs_ ABSL_GUARDED_BY(mu_);
  WorkQueue queue_ ABSL_GUARDED_BY(mu_);
  FrameBuffer frames_ ABSL_GUARDED_BY(mu_);
  std::vector<Outgoing> outgoing_ ABSL_GUARDED_BY(mu_);
  // Of tasks that were offered while they ran, until the answer comes.
  std::vector<TasksFailed> offered_failures_ ABSL_GUARDED_BY(mu_);
  bool connected_ ABSL_GUARDED_BY(mu_) = false;
  bool wake_pending_ ABSL_GUARDED_BY(mu_) = false;
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::string drain_reason_ ABSL_GUARDED_BY(mu_);
  // Counts what slots wait for.
  uint64_t work_version_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t forgotten_jobs_ ABSL_GUARDED_BY(mu_) = 0;
  int busy_slots_ ABSL_GUARDED_BY(mu_) = 0;
  // Written under mu_.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> full_{false};
  std::atomic<int64_t> tasks_done_{0};

  std::vector<std::unique_ptr<Slot>> slots_;
  std::thread reader_;
  std::thread flusher_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_ENGINE_H_
