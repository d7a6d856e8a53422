#ifndef INTERNODE_SCHEDULER_CORE_OPTIONS_H_
#define INTERNODE_SCHEDULER_CORE_OPTIONS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace internode::scheduler::core {

// What the operator may set. Values out of range are moved into it.
struct CoreOptions {
  // How long a lease should take its worker; 1 ms to 60 s.
  absl::Duration target_lease = absl::Seconds(1);
  // Leases are not cut smaller than this near the end of a job, so that
  // messages stay few; at most target_lease.
  absl::Duration least_lease = absl::Milliseconds(10);
  // A worker from which nothing came for so long is lost; so is one that does
  // not answer a TakeBack for so long. 100 ms to 1 day.
  absl::Duration worker_ttl = absl::Seconds(30);
  // A task fails as poisonous when so many processes died while running it;
  // 1 to 100.
  int allowed_deaths = 3;
  // A task is copied to an idle worker when its worker should have finished
  // longer ago than this, and than one task takes. 0 to 1 day.
  absl::Duration copy_after = absl::Milliseconds(100);
  // A failed task waits so long for another worker than the one where it
  // failed; then any worker may run it. 0 to 1 day.
  absl::Duration retry_elsewhere = absl::Seconds(5);
  // How often the scheduler was started on this journal: lease ids of
  // different starts differ. At most 2^20.
  uint64_t incarnation = 0;
};

// The limits of what the core accepts.
inline constexpr int64_t kMostTasks = int64_t{1} << 53;
inline constexpr int kMostSlots = 4096;
inline constexpr int kMostPriority = 1000;

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_OPTIONS_H_
