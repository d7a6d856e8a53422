#ifndef INTERNODE_BASE_LOCK_CHECKS_H_
#define INTERNODE_BASE_LOCK_CHECKS_H_

#include "absl/synchronization/mutex.h"

namespace internode {

// Debian's Abseil is built so that each Lock looks for cycles in the order of
// locks, which costs more than the lock itself, in gRPC too. A program for
// users calls this first; debug builds and tests keep the check.
inline void SkipLockOrderChecks() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

}  // namespace internode

#endif  // INTERNODE_BASE_LOCK_CHECKS_H_
