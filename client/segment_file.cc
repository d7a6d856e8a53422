#include "internode/segment_file.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "base/status_macros.h"
#include "client/job_data.h"
#include "cube/segment_writer.h"

namespace internode {
namespace {

cube::SegmentFileSpec FileSpec(const client::JobData& data) {
  cube::SegmentFileSpec spec;
  spec.schema = data.planned.schema;
  spec.grid = data.planned.grid;
  spec.coordinates = data.planned.coordinates;
  spec.grid_mapping = data.planned.grid_mapping;
  spec.attributes = data.planned.attributes;
  spec.history = data.canonical_command;
  return spec;
}

// Only the chunks of a grid have rows and columns of their own.
absl::Status CheckGrid(const client::JobData& data) {
  if (data.planned.spec.selections.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "a job of explicit selections has no segment file, which holds the "
      "chunks of a grid; collect its records with MapCollect1d, or state the "
      "job with `select` and `chunks`");
}

class SegmentFileSink : public JobSink {
 public:
  SegmentFileSink(cube::SegmentWriter* writer,
                  const std::function<void(const JobSummary&)>& progress)
      : writer_(writer), progress_(progress) {}

  absl::Status OnChunk(const ChunkResult& result) override {
    INTERNODE_RETURN_IF_ERROR(writer_->Append(result.chunk(), result.result()));
    summary_.Add(result);
    if (progress_) progress_(summary_);
    return absl::OkStatus();
  }

  const JobSummary& summary() const { return summary_; }

 private:
  cube::SegmentWriter* const writer_;
  const std::function<void(const JobSummary&)>& progress_;
  JobSummary summary_;
};

// Writes the file of `job` from what `run(first, end, sink)` delivers.
template <typename Run>
absl::StatusOr<JobSummary> Write(const Job& job, const std::string& path,
                                 const SegmentFileOptions& options,
                                 const Run& run) {
  INTERNODE_RETURN_IF_ERROR(CheckGrid(job.state()));
  INTERNODE_ASSIGN_OR_RETURN(
      const cube::SegmentFilePart part,
      cube::PartOf(job.num_chunks(), options.part_id, options.part_total));
  cube::SegmentFileSpec spec = FileSpec(job.state());
  if (options.part_total != 1) spec.part = part;
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<cube::SegmentWriter> writer,
      cube::SegmentWriter::Create(path, spec, options.overwrite));
  SegmentFileSink sink(writer.get(), options.progress);
  INTERNODE_RETURN_IF_ERROR(run(part.first_chunk, part.end_chunk, &sink));
  if (options.cancel != nullptr && options.cancel->load()) {
    return absl::CancelledError("cancelled");
  }
  INTERNODE_RETURN_IF_ERROR(writer->Finish());
  return sink.summary();
}

}  // namespace

absl::StatusOr<JobSummary> WriteSegmentFile(const Job& job, Executor* executor,
                                            const std::string& path,
                                            const SegmentFileOptions& options) {
  return Write(job, path, options,
               [&](int64_t first, int64_t end, JobSink* sink) {
                 RunOptions run;
                 run.first_task = first;
                 run.end_task = end;
                 run.cancel = options.cancel;
                 return executor->RunJob(job, run, sink);
               });
}

absl::StatusOr<JobSummary> WriteSegmentFile(const JobHandle& handle,
                                            const std::string& path,
                                            const SegmentFileOptions& options) {
  FetchOptions fetch;
  fetch.call.cancel = options.cancel;
  INTERNODE_ASSIGN_OR_RETURN(const Job job, handle.Plan(fetch.call));
  return Write(job, path, options,
               [&](int64_t first, int64_t end, JobSink* sink) {
                 fetch.first_task = first;
                 fetch.end_task = end;
                 return handle.Fetch(sink, fetch).status();
               });
}

}  // namespace internode
