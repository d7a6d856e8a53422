#include "internode/segment_file.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "client/job_state.h"
#include "core/attribute.h"
#include "cube/segment_writer.h"
#include "internode/version.h"

namespace internode {
namespace {

// Which variables the function saw, as --variables takes them.
std::string VariablesText(const functions::FunctionInputs& inputs) {
  return absl::StrJoin(
      inputs.series, ",",
      [](std::string* out, const functions::InputSeries& series) {
        absl::StrAppend(
            out, series.role, "=",
            series.source.band < 0 ? series.source.variable : series.label);
      });
}

core::Attributes FileAttributes(const client::JobState& state) {
  const functions::FunctionInfo& function = state.plan.function->info();
  const core::CubeInfo& cube = state.cube->info();
  core::Attributes attributes = {
      {"title", absl::StrCat("Segments of ", function.name)},
      {"internode_version", std::string(Version())},
      {"algorithm", function.name},
      {"algorithm_version", function.version},
      {"parameters", state.plan.parameters.ToJson()},
      {"variables", VariablesText(state.plan.inputs)},
      {"input_path", cube.path},
      {"input_bytes", std::vector<int64_t>{cube.file_bytes}},
      {"input_mtime_ns", std::vector<int64_t>{cube.file_mtime_ns}},
  };
  if (state.spec.nodata.has_value()) {
    attributes.push_back({"nodata", std::vector<double>{*state.spec.nodata}});
  }
  for (const core::Attribute& attribute : state.plan.prepared->attributes()) {
    attributes.push_back(attribute);
  }
  return attributes;
}

cube::SegmentFileSpec FileSpec(const client::JobState& state) {
  cube::SegmentFileSpec spec;
  spec.schema = state.plan.prepared->schema();
  spec.grid = state.plan.grid;
  spec.coordinates = state.cube->info().coordinates;
  spec.grid_mapping = state.cube->info().grid_mapping;
  spec.attributes = FileAttributes(state);
  spec.history = state.canonical_command;
  return spec;
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

}  // namespace

absl::StatusOr<JobSummary> WriteSegmentFile(const Job& job, Executor* executor,
                                            const std::string& path,
                                            const SegmentFileOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(
      const cube::SegmentFilePart part,
      cube::PartOf(job.num_chunks(), options.part_id, options.part_total));
  cube::SegmentFileSpec spec = FileSpec(job.state());
  if (options.part_total != 1) spec.part = part;
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<cube::SegmentWriter> writer,
      cube::SegmentWriter::Create(path, spec, options.overwrite));
  SegmentFileSink sink(writer.get(), options.progress);
  RunOptions run;
  run.first_task = part.first_chunk;
  run.end_task = part.end_chunk;
  run.cancel = options.cancel;
  INTERNODE_RETURN_IF_ERROR(executor->RunJob(job, run, &sink));
  if (options.cancel != nullptr && options.cancel->load()) {
    return absl::CancelledError("cancelled");
  }
  INTERNODE_RETURN_IF_ERROR(writer->Finish());
  return sink.summary();
}

}  // namespace internode
