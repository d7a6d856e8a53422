#ifndef INTERNODE_TESTS_UNIT_WORKER_ENGINE_TESTUTIL_H_
#define INTERNODE_TESTS_UNIT_WORKER_ENGINE_TESTUTIL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "core/block_result.h"
#include "core/interval_set.h"
#include "worker/engine/engine.h"
#include "worker/engine/messages.h"
#include "worker/engine/worker_job.h"

// An engine between a job whose tasks do what a test says, and a scheduler that
// is the test.

namespace internode::worker {

// For everything that must come.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

// What the tasks of a job do. Thread-safe.
class Script {
 public:
  // The task does not end before Release.
  void Hold(int64_t task);
  void Release(int64_t task);
  void Fail(int64_t task, absl::Status status);
  void FailRead(int64_t task, absl::Status status);
  void FailOpen(absl::Status status);
  // Waits until the task is held; whether it came to that.
  bool AwaitHeld(int64_t task);
  bool AwaitRead(int64_t task);

  // Called by the job.
  absl::Status Run(int64_t task);
  absl::Status Read(int64_t task, int64_t memory_bytes);
  absl::Status Open();

  std::vector<int64_t> runs();
  int64_t num_opens();
  // Blocks that were read, in order.
  std::vector<int64_t> reads();
  // The memory that each of these had before.
  std::vector<int64_t> read_memory();

 private:
  bool Await(const std::function<bool()>& condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  std::set<int64_t> to_hold_ ABSL_GUARDED_BY(mu_);
  std::set<int64_t> held_ ABSL_GUARDED_BY(mu_);
  std::map<int64_t, absl::Status> failures_ ABSL_GUARDED_BY(mu_);
  std::map<int64_t, absl::Status> read_failures_ ABSL_GUARDED_BY(mu_);
  absl::Status open_status_ ABSL_GUARDED_BY(mu_);
  std::vector<int64_t> runs_ ABSL_GUARDED_BY(mu_);
  std::vector<int64_t> reads_ ABSL_GUARDED_BY(mu_);
  std::vector<int64_t> read_memory_ ABSL_GUARDED_BY(mu_);
  int64_t opens_ ABSL_GUARDED_BY(mu_) = 0;
};

// A job of `num_tasks` one-pixel tasks along "i": each gives `task % 3` records
// of one int64, the task's number. It reads if `reads`, `pixel_bytes` a task.
std::shared_ptr<const WorkerJob> ScriptedJob(Script* script, int64_t num_tasks,
                                             bool reads, int64_t pixel_bytes);

// The frame that an encoder makes of the tasks' results.
std::string ExpectedFrame(core::Interval tasks);

// That `frames` are those of an encoder over the same tasks.
void ExpectRightBytes(const std::vector<FrameToSend>& frames);

// An engine, and what it sent.
class TestLink {
 public:
  struct Setup {
    int slots = 1;
    int64_t num_tasks = 1000;
    bool reads = false;
    EngineOptions options = {};
    int64_t window_bytes = int64_t{1} << 20;
    // Acknowledge each frame at once.
    bool acknowledge = true;
  };
  explicit TestLink(const Setup& setup);
  ~TestLink();

  Script& script() { return script_; }
  Engine& engine() { return *engine_; }
  // Of the jobs that are opened from now on.
  void set_pixel_bytes(int64_t bytes) { pixel_bytes_ = bytes; }

  // Hello and Welcome. Returns what was offered.
  std::vector<Offer> Reconnect();
  void Grant(LeaseId lease, core::Interval tasks, JobId job = 1);
  void Grant(const Lease& lease) { engine_->Handle(lease); }
  std::shared_ptr<const JobRequest> request(uint64_t fingerprint = 7) const;

  // Waits until what was sent fulfils `condition`; whether it does.
  bool Await(const std::function<bool(const TestLink&)>& condition);
  bool AwaitDone(core::Interval tasks);
  // Until so many leases, or parts of them, were given back.
  bool AwaitReturned(size_t count);
  bool AwaitDrained();
  // Waits until the engine's load fulfils `condition`, of which it tells
  // nobody.
  bool AwaitLoad(const std::function<bool(const Engine::Load&)>& condition);

  // What came, in order.
  std::vector<FrameToSend> frames;
  std::vector<TasksFailed> failed;
  std::vector<LeaseReturned> returned;
  // 'P'aused, 'R'esumed, 'D'raining.
  std::string states;
  core::IntervalSet done;

 private:
  void Take();

  const Setup setup_;
  Script script_;
  std::atomic<int64_t> pixel_bytes_{8};
  std::vector<SlotState> slots_;
  Mutex mu_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<Engine> engine_;
};

}  // namespace internode::worker

#endif  // INTERNODE_TESTS_UNIT_WORKER_ENGINE_TESTUTIL_H_
