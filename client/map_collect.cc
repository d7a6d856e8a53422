#include "internode/map_collect.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/job_data.h"
#include "core/block_result.h"
#include "core/record_batch.h"
#include "functions/task_runner.h"

namespace internode {
namespace {

std::string Place(const Job& job, const std::vector<int64_t>& index) {
  core::Selection selection;
  for (const int64_t i : index) {
    selection.extents.push_back(core::Extent::Index(i));
  }
  return functions::SelectionText(selection, job.state().planned.dim_names());
}

class CollectingSink : public JobSink {
 public:
  CollectingSink(const Job& job, bool stop_at_failure)
      : job_(job),
        stop_at_failure_(stop_at_failure),
        records_(
            std::make_shared<core::RecordBatch>(job.state().planned.schema)) {}

  absl::Status OnChunk(const ChunkResult& chunk) override {
    const core::BlockResult& result = chunk.result();
    if (stop_at_failure_) INTERNODE_RETURN_IF_ERROR(FirstFailure(chunk));
    records_->Append(result.records());
    counts_.insert(counts_.end(), result.record_counts().begin(),
                   result.record_counts().end());
    for (int64_t p = 0; p < chunk.num_pixels(); ++p) {
      statuses_.push_back(chunk.status(p));
    }
    summary_.Add(chunk);
    return absl::OkStatus();
  }

  CollectedJob Finish() && {
    return {Records(std::move(records_)), std::move(counts_),
            std::move(statuses_), std::move(summary_)};
  }

 private:
  absl::Status FirstFailure(const ChunkResult& chunk) const {
    INTERNODE_RETURN_IF_ERROR(chunk.error());
    const std::vector<PixelFailure> failures = chunk.failures();
    if (failures.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "pixel ", Place(job_, failures[0].index), ": ", failures[0].message));
  }

  const Job& job_;
  const bool stop_at_failure_;
  std::shared_ptr<core::RecordBatch> records_;
  std::vector<uint32_t> counts_;
  std::vector<PixelStatus> statuses_;
  JobSummary summary_;
};

}  // namespace

absl::StatusOr<CollectedJob> MapCollect1d(const JobOptions& job_options,
                                          const MapOptions& options) {
  std::unique_ptr<Executor> sync;
  Executor* executor = options.executor;
  if (executor == nullptr) {
    sync = Executor::Sync();
    executor = sync.get();
  }
  INTERNODE_ASSIGN_OR_RETURN(const Job job, Job::Open(job_options, executor));
  CollectingSink sink(job, options.stop_at_failure);
  RunOptions run;
  run.cancel = options.cancel;
  INTERNODE_RETURN_IF_ERROR(executor->RunJob(job, run, &sink));
  return std::move(sink).Finish();
}

}  // namespace internode
