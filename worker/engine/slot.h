#ifndef INTERNODE_WORKER_ENGINE_SLOT_H_
#define INTERNODE_WORKER_ENGINE_SLOT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "core/block.h"
#include "core/block_result.h"
#include "core/frame_encoder.h"
#include "functions/task_runner.h"
#include "worker/engine/engine.h"
#include "worker/engine/slot_page.h"
#include "worker/engine/stretch.h"
#include "worker/engine/work_queue.h"

namespace internode::worker {

// One compute thread of an engine.
class Slot {
 public:
  Slot(Engine* engine, SlotState* state) : engine_(engine), state_(state) {}

  void Start();
  void Join() { thread_.join(); }

  // Closes the frame if it is older than `age`. On any thread.
  void FlushOld(absl::Duration age);

  const SlotState& state() const { return *state_; }

 private:
  friend class Engine;

  // What is kept of a job between its stretches.
  struct JobMemory {
    std::shared_ptr<JobState> job;
    std::shared_ptr<const WorkerJob> opened;
    std::unique_ptr<functions::TaskRunner> runner;
    std::unique_ptr<core::BlockResult> result;
  };
  // The block of a task that another thread reads meanwhile.
  struct ReadAhead {
    enum class State { kNone, kWanted, kReading, kReady };
    State state = State::kNone;
    std::shared_ptr<LeaseState> lease;
    std::shared_ptr<const WorkerJob> job;
    int64_t task = 0;
    int64_t bytes = 0;
    core::Block block;
    absl::Status status;
  };

  // Under the engine's lock: the tasks that were claimed and are in no frame
  // yet, with and without those that are not wanted.
  core::Interval OpenRange() const {
    return {open_begin_, stretch_.left().begin};
  }
  core::IntervalSet Open() const { return dropped_.Missing(OpenRange()); }

  void Run();
  // Waits for a stretch. False: the engine stops.
  bool NextStretch();
  // Returns why it came back without a stretch.
  enum class Found {
    kStretch,
    kMustFlush,
    kMustOpen,
    kForgotten,
    kIdleForLong,
    kStop
  };
  Found Find(std::shared_ptr<JobState>* job);
  void OpenJobOf(const std::shared_ptr<JobState>& job);
  void DropForgottenJobs();
  void FreeBlocks();
  // Forgets what was read ahead; keeps the memory. What is returned is to be
  // destroyed without a lock.
  std::unique_ptr<ReadAhead> ForgetAhead();

  absl::Status PrepareJob();
  void RunStretch();
  // Returns when it ended.
  int64_t RunTask(int64_t task, int64_t start_ns);
  absl::Status Read(const core::Selection& selection, core::Block* block);
  void TakeResult(int64_t task, const absl::Status& status, int64_t start_ns,
                  int64_t end_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(encoder_mu_);
  void WaitForRoom();

  bool FrameIsDue(int64_t now_ns) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(encoder_mu_);
  void Flush() ABSL_LOCKS_EXCLUDED(encoder_mu_);
  void FlushLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(encoder_mu_);
  void FailLocked(int64_t task, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(encoder_mu_);
  bool frame_open() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(encoder_mu_) {
    return encoder_ != nullptr && encoder_->tasks().size() > 0;
  }

  Engine* const engine_;
  SlotState* const state_;
  std::thread thread_;

  // Of the slot's own thread.
  std::map<JobId, JobMemory> memory_;
  JobMemory* current_ = nullptr;
  core::Block block_;
  // Then, if it is idle still, the slot frees the memory of its blocks.
  absl::Time keep_until_ = absl::InfiniteFuture();
  int64_t task_ = 0;
  bool alone_ = false;
  uint64_t seen_forgotten_ = 0;

  // Changed by the slot under the engine's lock.
  Stretch stretch_;
  // Under the engine's lock.
  std::shared_ptr<LeaseState> lease_;
  // The first task that was claimed and is in no frame yet.
  int64_t open_begin_ = 0;
  // Of those from open_begin_ on: not wanted any more.
  core::IntervalSet dropped_;
  bool busy_ = false;
  std::unique_ptr<ReadAhead> ahead_ = std::make_unique<ReadAhead>();

  Mutex encoder_mu_;
  std::unique_ptr<core::FrameEncoder> encoder_ ABSL_GUARDED_BY(encoder_mu_);
  int64_t frame_start_ns_ ABSL_GUARDED_BY(encoder_mu_) = 0;
  int64_t frame_busy_ns_ ABSL_GUARDED_BY(encoder_mu_) = 0;
  // What the last task added to its frame.
  int64_t last_bytes_ ABSL_GUARDED_BY(encoder_mu_) = 0;
};

// Whether another worker, or another time, may do better.
bool IsRetryable(absl::StatusCode code);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_SLOT_H_
