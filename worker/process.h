#ifndef INTERNODE_WORKER_PROCESS_H_
#define INTERNODE_WORKER_PROCESS_H_

#include "worker/options.h"

namespace internode::worker {

// A worker process: an engine, and its connection to the scheduler, until it
// has drained or its supervisor is gone. Returns the exit code. Signals that
// end a process must be blocked in the calling thread, which starts all others.
int RunProcess(const WorkerOptions& options);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_PROCESS_H_
