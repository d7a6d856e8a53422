#ifndef INTERNODE_WORKER_ENGINE_STRETCH_H_
#define INTERNODE_WORKER_ENGINE_STRETCH_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/interval_set.h"

namespace internode::worker {

// Consecutive tasks that one slot runs, ascending. The slot claims them one by
// one without a lock; others, under the engine's lock, may take back those that
// are not claimed yet.
class Stretch {
 public:
  static constexpr int64_t kMostTasks = (int64_t{1} << 31) - 1;

  // By the slot, under the engine's lock, when nothing is left. At most
  // kMostTasks.
  void Set(core::Interval tasks) {
    base_ = tasks.begin;
    state_.store(Pack(0, tasks.size()), std::memory_order_release);
  }

  // By the slot. False when nothing is left.
  bool Claim(int64_t* task) {
    uint64_t state = state_.load(std::memory_order_acquire);
    while (Next(state) < End(state)) {
      if (state_.compare_exchange_weak(state, state + (uint64_t{1} << 32),
                                       std::memory_order_acq_rel)) {
        *task = base_ + Next(state);
        return true;
      }
    }
    return false;
  }

  // By anybody under the engine's lock: what is not claimed.
  core::Interval left() const {
    const uint64_t state = state_.load(std::memory_order_acquire);
    return {base_ + Next(state), base_ + End(state)};
  }

  // By anybody under the engine's lock: takes back what is not claimed of the
  // tasks from `task` on, and returns it.
  core::Interval CutFrom(int64_t task) {
    uint64_t state = state_.load(std::memory_order_acquire);
    for (;;) {
      const int64_t end = End(state);
      const int64_t cut =
          std::clamp(task, base_ + Next(state), base_ + end) - base_;
      if (cut == end) return {base_ + end, base_ + end};
      if (state_.compare_exchange_weak(state, Pack(Next(state), cut),
                                       std::memory_order_acq_rel)) {
        return {base_ + cut, base_ + end};
      }
    }
  }

 private:
  // Both counted from base_: the next task in the upper half, the end in the
  // lower one.
  static uint64_t Pack(int64_t next, int64_t end) {
    return static_cast<uint64_t>(next) << 32 | static_cast<uint64_t>(end);
  }
  static int64_t Next(uint64_t state) {
    return static_cast<int64_t>(state >> 32);
  }
  static int64_t End(uint64_t state) {
    return static_cast<int64_t>(state & 0xffffffffU);
  }

  int64_t base_ = 0;
  std::atomic<uint64_t> state_{0};
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_STRETCH_H_
