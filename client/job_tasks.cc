#include "client/job_tasks.h"

#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "client/job_data.h"
#include "core/block_result.h"
#include "functions/task_runner.h"

namespace internode::client {
namespace {

// The records of a chunk, or why there are none.
class BlockTaskResult : public TaskResult {
 public:
  explicit BlockTaskResult(std::shared_ptr<const core::RecordSchema> schema)
      : records(std::move(schema)) {}

  int64_t bytes() const override {
    return static_cast<int64_t>(records.records().bytes().size()) +
           records.num_pixels() * 5;
  }

  core::BlockResult records;
  absl::Status error;
};

class JobTaskRunner : public TaskRunner {
 public:
  JobTaskRunner(const core::PlannedJob* planned, functions::ReadBlock read,
                std::unique_ptr<functions::Kernel> kernel,
                std::vector<std::string> dim_names)
      : planned_(planned),
        runner_(std::move(read), std::move(kernel), std::move(dim_names)) {}

  absl::Status Run(int64_t task, TaskResult* result) override {
    auto* block_result = static_cast<BlockTaskResult*>(result);
    const core::Selection selection = planned_->Task(task);
    block_result->error =
        runner_.Run(selection, &block_, &block_result->records);
    if (!block_result->error.ok()) FailAll(selection, &block_result->records);
    return absl::OkStatus();
  }

 private:
  // The chunk's one error stands for all its pixels' messages.
  static void FailAll(const core::Selection& selection,
                      core::BlockResult* result) {
    result->Clear();
    for (int64_t p = 0; p < selection.num_pixels(); ++p) {
      result->FinishPixel(core::PixelStatus::kFailed);
    }
  }

  const core::PlannedJob* const planned_;
  functions::TaskRunner runner_;
  core::Block block_;
};

functions::ReadBlock ReadFrom(std::shared_ptr<cube::BlockReader> reader) {
  if (reader == nullptr) return functions::ReadNothing();
  return [reader = std::move(reader)](const core::Selection& selection,
                                      core::Block* block) {
    return reader->Read(selection, block);
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<TaskRunner>> JobTasks::NewRunner() {
  const JobData& data = job_.state();
  if (!data.local.has_value()) {
    return absl::FailedPreconditionError(
        "the job was planned by a scheduler, and this process does not have "
        "its cube and function; open it with Job::Open(options) to run it "
        "here");
  }
  const JobData::Local& local = *data.local;
  if (reader_ == nullptr && local.cube != nullptr &&
      !local.plan.request.series.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(
        reader_, cube::NewBlockReader(local.cube, local.plan.request));
  }
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<functions::Kernel> kernel,
                             local.plan.prepared->NewKernel());
  return std::make_unique<JobTaskRunner>(&data.planned, ReadFrom(reader_),
                                         std::move(kernel),
                                         data.planned.dim_names());
}

std::unique_ptr<TaskResult> JobTasks::NewResult() {
  return std::make_unique<BlockTaskResult>(job_.state().planned.schema);
}

absl::Status JobTasks::Deliver(int64_t task, const TaskResult& result) {
  const auto& block_result = static_cast<const BlockTaskResult&>(result);
  return sink_->OnChunk(
      ChunkResult(job_, task, block_result.records, block_result.error));
}

}  // namespace internode::client
