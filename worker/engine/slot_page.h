#ifndef INTERNODE_WORKER_ENGINE_SLOT_PAGE_H_
#define INTERNODE_WORKER_ENGINE_SLOT_PAGE_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "worker/engine/messages.h"

namespace internode::worker {

// A task that a slot runs.
struct RunningTask {
  JobId job = 0;
  int64_t task = 0;
  // On the machine's monotonic clock.
  int64_t start_ns = 0;

  friend bool operator==(const RunningTask&, const RunningTask&) = default;
};

// What one slot runs now, readable from any thread and, in shared memory, from
// another process, also after this one died. Zeros are an idle slot. One
// writer, any number of readers.
class alignas(64) SlotState {
 public:
  void Set(const RunningTask& running) {
    Begin();
    job_.store(running.job, std::memory_order_relaxed);
    task_.store(running.task, std::memory_order_relaxed);
    start_ns_.store(running.start_ns, std::memory_order_relaxed);
    busy_.store(1, std::memory_order_relaxed);
    End();
  }

  void SetIdle() {
    Begin();
    busy_.store(0, std::memory_order_relaxed);
    End();
  }

  // Nothing for an idle slot, and for one whose writer died between two tasks.
  std::optional<RunningTask> Get() const {
    // A living writer is between two tasks for nanoseconds.
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const uint64_t before = version_.load(std::memory_order_acquire);
      if (before % 2 != 0) continue;
      const RunningTask running = {job_.load(std::memory_order_acquire),
                                   task_.load(std::memory_order_acquire),
                                   start_ns_.load(std::memory_order_acquire)};
      const bool busy = busy_.load(std::memory_order_acquire) != 0;
      if (version_.load(std::memory_order_acquire) != before) continue;
      if (!busy) return std::nullopt;
      return running;
    }
    return std::nullopt;
  }

 private:
  void Begin() {
    // An exchange, because what follows may not be seen before it.
    version_.exchange(version_.load(std::memory_order_relaxed) + 1,
                      std::memory_order_acq_rel);
  }
  void End() {
    version_.store(version_.load(std::memory_order_relaxed) + 1,
                   std::memory_order_release);
  }

  // Odd while the others change.
  std::atomic<uint64_t> version_;
  std::atomic<uint64_t> job_;
  std::atomic<int64_t> task_;
  std::atomic<int64_t> start_ns_;
  std::atomic<uint64_t> busy_;
};

static_assert(std::atomic<uint64_t>::is_always_lock_free,
              "processes share slot states");

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_SLOT_PAGE_H_
