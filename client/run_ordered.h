#ifndef INTERNODE_CLIENT_RUN_ORDERED_H_
#define INTERNODE_CLIENT_RUN_ORDERED_H_

#include "absl/status/status.h"

#include "internode/tasks.h"

namespace internode::client {

// Runs `tasks` on `num_threads` threads, of which the caller's is one, and
// delivers their results in order. See Executor::RunTasks for the errors. All
// threads have ended when it returns.
absl::Status RunOrdered(TaskList* tasks, const RunOptions& options,
                        int num_threads);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_RUN_ORDERED_H_
