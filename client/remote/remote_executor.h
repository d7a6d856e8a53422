#ifndef INTERNODE_CLIENT_REMOTE_REMOTE_EXECUTOR_H_
#define INTERNODE_CLIENT_REMOTE_REMOTE_EXECUTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "client/remote/connection.h"
#include "client/remote/local_cluster.h"
#include "internode/executor.h"

namespace internode::client {

// Runs jobs on a scheduler's workers. Thread-safe.
class RemoteExecutor final : public Executor {
 public:
  struct Parts {
    ExecutorKind kind = ExecutorKind::kDistributed;
    std::shared_ptr<Connection> connection;
    // Null: the scheduler is not ours.
    std::shared_ptr<LocalCluster> cluster;
    int num_workers = 0;
    // Where the workers of `cluster` find functions.
    std::vector<std::string> function_path;
  };
  explicit RemoteExecutor(Parts parts) : parts_(std::move(parts)) {}
  ~RemoteExecutor() override;

  ExecutorKind kind() const override { return parts_.kind; }
  int num_workers() const override { return parts_.num_workers; }
  absl::StatusOr<Job> OpenJob(const JobOptions& options) override;
  absl::Status RunJob(const Job& job, const RunOptions& options,
                      JobSink* sink) override;
  absl::Status RunTasks(TaskList* tasks, const RunOptions& options) override;
  absl::Status Close(std::chrono::milliseconds timeout) override;
  std::shared_ptr<Connection> connection() const override {
    return parts_.connection;
  }
  std::vector<int64_t> pids() const override;

 private:
  // Runs the whole of `job` and forgets it.
  absl::Status RunWhole(const Job& job, const CallLimits& limits,
                        JobSink* sink);

  const Parts parts_;
};

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_REMOTE_EXECUTOR_H_
