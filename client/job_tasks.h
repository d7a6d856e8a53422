#ifndef INTERNODE_CLIENT_JOB_TASKS_H_
#define INTERNODE_CLIENT_JOB_TASKS_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "cube/block_reader.h"
#include "internode/job.h"
#include "internode/tasks.h"

namespace internode::client {

// The chunks of a job as tasks of this process: each reads its block, runs the
// function on it, and gives the records to the sink.
class JobTasks : public TaskList {
 public:
  // Both outlive it.
  JobTasks(const Job& job, JobSink* sink) : job_(job), sink_(sink) {}

  int64_t num_tasks() const override { return job_.num_chunks(); }
  absl::StatusOr<std::unique_ptr<TaskRunner>> NewRunner() override;
  std::unique_ptr<TaskResult> NewResult() override;
  absl::Status Deliver(int64_t task, const TaskResult& result) override;

 private:
  const Job& job_;
  JobSink* const sink_;
  // Made with the first runner; shared by the threads.
  std::shared_ptr<cube::BlockReader> reader_;
};

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_JOB_TASKS_H_
