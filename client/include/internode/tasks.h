#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_TASKS_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_TASKS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Work that an executor runs inside this process. MapCollect1d
// (internode/map_collect.h) is what most programs want instead.

namespace internode {

// What one task gives. Objects are used again for later tasks.
class TaskResult {
 public:
  virtual ~TaskResult() = default;
  // Memory held, roughly: what bounds the results that wait for their turn.
  virtual int64_t bytes() const = 0;
};

// One thread's side of the work. Thread-compatible.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  // Runs task `task` into `result`, which holds something old. An error ends
  // the whole run: what concerns the task alone belongs into its result.
  virtual absl::Status Run(int64_t task, TaskResult* result) = 0;
};

// Tasks 0 … num_tasks() - 1, and where their results go.
class TaskList {
 public:
  virtual ~TaskList() = default;
  virtual int64_t num_tasks() const = 0;
  // Called on the thread that starts the run, once per thread of the executor.
  virtual absl::StatusOr<std::unique_ptr<TaskRunner>> NewRunner() = 0;
  virtual std::unique_ptr<TaskResult> NewResult() = 0;
  // Called in the order of the tasks, one call at a time, on any thread. An
  // error ends the run.
  virtual absl::Status Deliver(int64_t task, const TaskResult& result) = 0;
};

struct RunOptions {
  // The tasks [first_task, end_task) are run; -1 means all the rest.
  int64_t first_task = 0;
  int64_t end_task = -1;
  // When it becomes true, no more tasks are begun, and the run ends with
  // kCancelled. May be set by a signal handler.
  const std::atomic<bool>* cancel = nullptr;
  // How far the fastest thread may be ahead of delivery, in tasks (0: eight
  // per thread) and in bytes of results that wait. The task that is next to
  // be delivered is always let in, so that one huge result cannot block.
  int64_t window_tasks = 0;
  int64_t window_bytes = int64_t{64} << 20;
};

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_TASKS_H_
