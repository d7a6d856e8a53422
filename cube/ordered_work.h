#ifndef INTERNODE_CUBE_ORDERED_WORK_H_
#define INTERNODE_CUBE_ORDERED_WORK_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"

namespace internode::cube {

// A step of work number `number` on thread number `thread`, from 0.
using WorkStep = std::function<absl::Status(int thread, int64_t number)>;

// Runs `work` for the numbers 0 ... count - 1 on at most `threads` threads, of
// which the caller's is one. `deliver`, if given, follows each, on the same
// thread, but one at a time and in the order of the numbers.
//
// Stops at the first error, and with kCancelled when `cancel` (may be null) is
// set; what is under way is finished, but no longer delivered. Memory that runs
// out is kResourceExhausted. All threads have ended when it returns.
absl::Status RunWork(int threads, int64_t count,
                     const std::atomic<bool>* cancel, const WorkStep& work,
                     const WorkStep& deliver = nullptr);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_ORDERED_WORK_H_
