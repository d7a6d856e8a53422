#ifndef INTERNODE_WORKER_ENGINE_MONOTONIC_CLOCK_H_
#define INTERNODE_WORKER_ENGINE_MONOTONIC_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace internode::worker {

// Nanoseconds on the machine's monotonic clock, the same in all processes.
inline int64_t NowNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_MONOTONIC_CLOCK_H_
