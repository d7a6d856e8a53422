#ifndef INTERNODE_WORKER_DAEMON_H_
#define INTERNODE_WORKER_DAEMON_H_

#include "worker/options.h"

namespace internode::worker {

// The daemon: a supervisor, and its own connection to the scheduler, to which
// it reports deaths. Returns the exit code. BlockSignals was called before.
int RunDaemon(const WorkerOptions& options);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_DAEMON_H_
