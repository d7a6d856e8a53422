#ifndef INTERNODE_SCHEDULER_DAEMON_H_
#define INTERNODE_SCHEDULER_DAEMON_H_

#include "absl/status/status.h"

#include "scheduler/config.h"

namespace internode::scheduler {

// Serves until SIGTERM, SIGINT, or the end of the lifeline, then stops in
// order: no more leases, what has arrived made durable, streams closed. Those
// signals are blocked in all threads. Errors: why it cannot start.
absl::Status RunDaemon(const Config& config);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_DAEMON_H_
