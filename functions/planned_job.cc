#include "functions/planned_job.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "base/version.h"
#include "core/shared_storage.h"
#include "functions/task_runner.h"

namespace internode::functions {
namespace {

// Which variables the function sees, as --variables takes them.
std::string VariablesText(const FunctionInputs& inputs) {
  return absl::StrJoin(
      inputs.series, ",", [](std::string* out, const InputSeries& series) {
        absl::StrAppend(
            out, series.role, "=",
            series.source.band < 0 ? series.source.variable : series.label);
      });
}

core::Attributes FileAttributes(const core::JobSpec& spec,
                                const core::CubeInfo& cube,
                                const JobPlan& plan) {
  const FunctionInfo& function = plan.function->info();
  core::Attributes attributes = {
      {"title", absl::StrCat("Segments of ", function.name)},
      {"internode_version", std::string(Version())},
      {"algorithm", function.name},
      {"algorithm_version", function.version},
      {"parameters", plan.parameters.ToJson()},
      {"variables", VariablesText(plan.inputs)},
      {"input_path", cube.path},
      {"input_bytes", std::vector<int64_t>{cube.file_bytes}},
      {"input_mtime_ns", std::vector<int64_t>{cube.file_mtime_ns}},
  };
  if (spec.nodata.has_value()) {
    attributes.push_back({"nodata", std::vector<double>{*spec.nodata}});
  }
  for (const core::Attribute& attribute : plan.prepared->attributes()) {
    attributes.push_back(attribute);
  }
  return attributes;
}

std::string GridText(const core::ChunkGrid& grid) {
  std::string text = grid.by_index() ? "by index" : "by range";
  for (size_t d = 0; d < grid.dims().size(); ++d) {
    const core::DimensionCut& cut = grid.cuts()[d];
    absl::StrAppend(&text, "|", grid.dims()[d].name, "=", grid.dims()[d].size,
                    ":", cut.begin, ":", cut.end, ":", cut.chunk, ":",
                    cut.origin);
  }
  return text;
}

// FNV-1a, 64 bits: against chance, not against an adversary.
class Hash {
 public:
  void Add(absl::string_view text) {
    for (const char c : text) Step(static_cast<uint8_t>(c));
    // The end of a text counts too.
    Step(0);
  }
  uint64_t value() const { return value_; }

 private:
  void Step(uint8_t byte) {
    value_ ^= byte;
    value_ *= 0x100000001b3;
  }

  uint64_t value_ = 0xcbf29ce484222325;
};

uint64_t Fingerprint(const core::PlannedJob& job, const core::CubeInfo& cube,
                     const JobPlan& plan) {
  const FunctionInfo& function = plan.function->info();
  Hash hash;
  hash.Add(function.name);
  hash.Add(function.version);
  hash.Add(plan.parameters.ToJson());
  hash.Add(VariablesText(plan.inputs));
  hash.Add(absl::StrJoin(plan.request.core_dims, "|"));
  hash.Add(
      absl::StrCat(cube.group, "|", cube.file_bytes, "|", cube.file_mtime_ns));
  hash.Add(job.spec.nodata.has_value() ? absl::StrCat(*job.spec.nodata) : "");
  hash.Add(job.schema->NumpyDescr());
  hash.Add(GridText(job.grid));
  for (const core::Selection& selection : job.selections) {
    hash.Add(SelectionText(selection, {}));
  }
  return hash.value();
}

}  // namespace

core::PlannedJob MakePlannedJob(const core::JobSpec& spec,
                                const core::CubeInfo& cube,
                                const JobPlan& plan) {
  core::PlannedJob job;
  job.spec = spec;
  job.grid = plan.grid;
  job.selections = plan.selections;
  job.schema = plan.prepared->schema();
  if (plan.selections.empty()) {
    job.tasks_together =
        core::TasksSharingStorage(cube, plan.request, plan.grid);
  }
  job.notes = plan.notes;
  job.attributes = FileAttributes(spec, cube, plan);
  for (const core::CoordinateInfo& coordinate : cube.coordinates) {
    for (const core::Dimension& dim : job.grid.dims()) {
      if (dim.name == coordinate.dim) job.coordinates.push_back(coordinate);
    }
  }
  job.grid_mapping = cube.grid_mapping;
  job.fingerprint = Fingerprint(job, cube, plan);
  return job;
}

}  // namespace internode::functions
