#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_EXECUTOR_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_EXECUTOR_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "internode/tasks.h"

namespace internode {

class Job;
class JobSink;
struct JobOptions;
namespace client {
class Connection;
}

enum class ExecutorKind {
  // In the caller's thread.
  kSync,
  // A pool of threads of this process.
  kThreads,
  // A pool of processes of this machine.
  kProcesses,
  // A scheduler and its workers.
  kDistributed,
};

// "sync", "threads", "processes", "distributed".
absl::string_view ExecutorKindName(ExecutorKind kind);

// The kind called `name`; "single-threaded" and "synchronous" are other names
// of sync. Errors (kInvalidArgument) name what there is.
absl::StatusOr<ExecutorKind> ParseExecutorKind(absl::string_view name);

// Where work runs. Results come in the order of the tasks, and are the same
// bytes, whatever the kind and the number of workers. Thread-safe: runs may
// overlap; each has its own threads, all gone when it returns.
class Executor {
 public:
  // Runs everything in the thread that calls Run.
  static std::unique_ptr<Executor> Sync();
  // Runs on `num_threads` threads, the caller's among them; below 1 is 1.
  static std::unique_ptr<Executor> Threads(int num_threads);

  virtual ~Executor() = default;

  virtual ExecutorKind kind() const = 0;
  virtual int num_workers() const = 0;

  // Checks `options` where the job will run: in this process, or, by an
  // executor outside of it, on the workers, so that this process need neither
  // see the cube nor have the function. Job::Open calls it.
  virtual absl::StatusOr<Job> OpenJob(const JobOptions& options);

  // Runs a job: the function of `job` on every pixel of its chunks, results
  // to `sink` in chunk order. RunOptions' tasks are the job's chunks. A chunk
  // that cannot be read does not end the run: its pixels are failed, with the
  // reason. Errors: the sink's; kCancelled; a function that cannot run at all.
  virtual absl::Status RunJob(const Job& job, const RunOptions& options,
                              JobSink* sink) = 0;

  // Runs tasks of the program's own, which an executor outside of this process
  // refuses (kUnimplemented). Errors: that of the first task, in their order,
  // that has one, after the results before it were delivered; else that of
  // delivery; kCancelled; kInvalidArgument for a bad range of tasks.
  virtual absl::Status RunTasks(TaskList* tasks, const RunOptions& options) = 0;

  // Ends what the executor started, and its connection: a local cluster is
  // gone when it returns, killed if need be after `timeout`. Idempotent;
  // destruction does the same. Runs and calls that wait end with
  // kFailedPrecondition. Errors: kDeadlineExceeded (it had to be killed).
  virtual absl::Status Close(
      std::chrono::milliseconds timeout = std::chrono::seconds(10));

  // For this library. The way to the scheduler; null in this process.
  virtual std::shared_ptr<client::Connection> connection() const;
  // The processes that the executor started.
  virtual std::vector<int64_t> pids() const;
};

// The executor of the kind called `kind`. `value` is the number of workers
// (none: sync has 1, threads as many as the process may use cores); for
// `distributed` it may also be an address, "host:port". `processes` and
// `distributed` with a number start a local cluster: see SetupExecutor
// (internode/cluster.h), whose errors are those of this. Errors
// (kInvalidArgument) name what is supported.
absl::StatusOr<std::unique_ptr<Executor>> MakeExecutor(
    absl::string_view kind,
    const std::optional<std::string>& value = std::nullopt);

// The cores that this process may use: its affinity and the limit of its
// control group respected; at least 1.
int UsableCores();

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_EXECUTOR_H_
