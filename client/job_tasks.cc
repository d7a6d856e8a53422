#include "client/job_tasks.h"

#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "client/job_state.h"
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
  JobTaskRunner(const core::ChunkGrid* grid,
                std::shared_ptr<cube::BlockReader> reader,
                std::unique_ptr<functions::Kernel> kernel,
                std::vector<std::string> dim_names)
      : grid_(grid),
        runner_(
            [reader = std::move(reader)](const core::Selection& selection,
                                         core::Block* block) {
              return reader->Read(selection, block);
            },
            std::move(kernel), std::move(dim_names)) {}

  absl::Status Run(int64_t task, TaskResult* result) override {
    auto* block_result = static_cast<BlockTaskResult*>(result);
    const core::Selection selection = grid_->Chunk(task);
    block_result->error = runner_.Run(selection, &block_result->records);
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

  const core::ChunkGrid* const grid_;
  functions::TaskRunner runner_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TaskRunner>> JobTasks::NewRunner() {
  const JobState& state = job_.state();
  if (reader_ == nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(
        reader_, cube::NewBlockReader(state.cube, state.plan.request));
  }
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<functions::Kernel> kernel,
                             state.plan.prepared->NewKernel());
  return std::make_unique<JobTaskRunner>(&state.plan.grid, reader_,
                                         std::move(kernel), state.dim_names());
}

std::unique_ptr<TaskResult> JobTasks::NewResult() {
  return std::make_unique<BlockTaskResult>(
      job_.state().plan.prepared->schema());
}

absl::Status JobTasks::Deliver(int64_t task, const TaskResult& result) {
  const auto& block_result = static_cast<const BlockTaskResult&>(result);
  return sink_->OnChunk(
      ChunkResult(job_, task, block_result.records, block_result.error));
}

}  // namespace internode::client
