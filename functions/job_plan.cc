#include "functions/job_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "functions/roles.h"
#include "functions/task_grid.h"

namespace internode::functions {
namespace {

absl::Status OfFunction(const FunctionInfo& info, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("function '", info.name,
                                                  "': ", status.message()));
}

// The core dimensions whose product is a series' length: without that of the
// bands, which is spread over the series.
std::vector<std::string> SeriesDimensions(
    const core::CubeInfo& cube, const std::vector<std::string>& core_dims) {
  std::vector<std::string> dims;
  for (const std::string& dim : core_dims) {
    if (dim != cube.band_dim) dims.push_back(dim);
  }
  return dims;
}

bool HasDates(const core::CubeInfo& cube,
              const std::vector<std::string>& series_dims) {
  return cube.time.has_value() && series_dims.size() == 1 &&
         series_dims[0] == cube.time->dim;
}

// Why the dates that `info` needs are not there.
absl::Status NoDates(const FunctionInfo& info, const core::CubeInfo& cube,
                     const std::vector<std::string>& core_dims) {
  if (!cube.time.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "function '", info.name, "' needs dates, and the cube has no ",
        cube.time_error.empty()
            ? "time axis; a time axis is a coordinate with units such as "
              "'days since 1970-01-01'"
            : absl::StrCat("readable time axis: ", cube.time_error)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "function '", info.name, "' takes '", cube.time->dim,
      "' as its only core dimension",
      cube.band_dim.empty() ? ""
                            : absl::StrCat(" beside '", cube.band_dim, "'"),
      "; the core dimensions are ",
      core_dims.empty() ? "none" : absl::StrJoin(core_dims, ", ")));
}

// What most producers of int16 reflectances write where there is nothing, and
// often without declaring it.
constexpr double kUsualNodata = -9999;

bool CanHoldUsualNodata(core::DataType type) {
  return core::VisitDataType(type, [](auto zero) {
    using T = decltype(zero);
    return static_cast<double>(std::numeric_limits<T>::lowest()) <=
           kUsualNodata;
  });
}

InputSeries MakeInput(const core::CubeInfo& cube, const FunctionInfo& info,
                      const RoleSpec& role, const SeriesSource& source,
                      const std::optional<double>& nodata) {
  const core::VariableInfo& variable = cube.variables[source.variable];
  InputSeries series;
  series.role = role.name;
  series.source = {variable.name, source.band};
  series.label = source.label;
  series.type = variable.type;
  series.missing = variable.missing;
  if (nodata.has_value() && !role.codes &&
      std::find(series.missing.begin(), series.missing.end(), *nodata) ==
          series.missing.end()) {
    series.missing.push_back(*nodata);
  }
  if (!nodata.has_value() && !role.codes && info.usual_nodata &&
      series.missing.empty() && CanHoldUsualNodata(series.type)) {
    series.missing.push_back(kUsualNodata);
  }
  series.valid_min = variable.valid_min;
  series.valid_max = variable.valid_max;
  series.scale_factor = variable.scale_factor;
  series.add_offset = variable.add_offset;
  series.units = core::TextAttribute(variable.attributes, "units");
  series.attributes = variable.attributes;
  return series;
}

// Numbers of a series: the product of the sizes of its dimensions.
absl::StatusOr<int64_t> SeriesCount(
    const core::CubeInfo& cube, const std::vector<std::string>& series_dims) {
  int64_t count = 1;
  for (const core::Dimension& dim : cube.dims) {
    if (std::find(series_dims.begin(), series_dims.end(), dim.name) ==
        series_dims.end()) {
      continue;
    }
    if (dim.size > 0 &&
        count > std::numeric_limits<int64_t>::max() / dim.size) {
      return absl::InvalidArgumentError(
          "the core dimensions have more than 2^63 - 1 numbers together");
    }
    count *= dim.size;
  }
  return count;
}

absl::StatusOr<FunctionInputs> MakeInputs(const core::JobSpec& spec,
                                          const core::CubeInfo& cube,
                                          const FunctionInfo& info,
                                          const FilledRoles& filled) {
  const std::vector<std::string> series_dims =
      SeriesDimensions(cube, spec.core_dims);
  FunctionInputs inputs;
  for (size_t r = 0; r < info.roles.size(); ++r) {
    for (const SeriesSource& source : filled.sources[r]) {
      inputs.series.push_back(
          MakeInput(cube, info, info.roles[r], source, spec.nodata));
    }
  }
  INTERNODE_ASSIGN_OR_RETURN(inputs.count, SeriesCount(cube, series_dims));
  if (!HasDates(cube, series_dims)) {
    if (info.needs_time) return NoDates(info, cube, spec.core_dims);
    return inputs;
  }
  inputs.days = cube.time->days;
  const std::string& calendar = cube.time->calendar;
  if (calendar == "365_day" || calendar == "noleap") {
    inputs.calendar = "noleap";
  } else if (calendar == "366_day" || calendar == "all_leap") {
    inputs.calendar = "all_leap";
  } else if (calendar == "360_day") {
    inputs.calendar = "360_day";
  }
  if (static_cast<int64_t>(inputs.days.size()) != inputs.count) {
    return absl::InvalidArgumentError(
        absl::StrCat("dimension '", cube.time->dim, "' has ", inputs.count,
                     " indices and ", inputs.days.size(), " dates"));
  }
  return inputs;
}

// Says so when a value that the cube does not declare counts as no data.
void NoteUsualNodata(const core::CubeInfo& cube, const FunctionInputs& inputs,
                     std::vector<std::string>* notes) {
  std::vector<std::string> labels;
  for (const InputSeries& series : inputs.series) {
    const core::VariableInfo* variable =
        cube.FindVariable(series.source.variable);
    if (variable->missing.empty() && series.missing.size() == 1 &&
        series.missing[0] == kUsualNodata) {
      labels.push_back(series.label);
    }
  }
  if (labels.empty()) return;
  notes->push_back(absl::StrCat(
      "nodata: ", kUsualNodata, " in ", absl::StrJoin(labels, ", "),
      ", which declare none (--nodata V for another value)"));
}

core::BlockRequest MakeRequest(const core::JobSpec& spec,
                               const FunctionInputs& inputs,
                               const core::Dimensions& noncore_dims) {
  core::BlockRequest request;
  for (const InputSeries& series : inputs.series) {
    request.series.push_back(series.source);
  }
  request.core_dims = spec.core_dims;
  for (const core::Dimension& dim : noncore_dims) {
    request.noncore_dims.push_back(dim.name);
  }
  return request;
}

// The tasks of a spec that lists them, and the grid of the dimensions.
absl::Status PlanSelections(const core::JobSpec& spec,
                            const core::Dimensions& noncore_dims,
                            JobPlan* plan) {
  if (!std::holds_alternative<core::AutoChunks>(spec.chunks) ||
      !spec.select.empty()) {
    return absl::InvalidArgumentError(
        "a job lists its selections or cuts them into chunks, not both");
  }
  INTERNODE_ASSIGN_OR_RETURN(plan->grid,
                             core::ChunkGrid::Create(noncore_dims, int64_t{1}));
  INTERNODE_RETURN_IF_ERROR(CheckSelections(noncore_dims, spec.selections));
  plan->selections = spec.selections;
  return absl::OkStatus();
}

absl::Status PlanTasks(const core::JobSpec& spec, const core::CubeInfo& cube,
                       const core::Dimensions& noncore_dims, JobPlan* plan) {
  if (!spec.selections.empty()) {
    return PlanSelections(spec, noncore_dims, plan);
  }
  INTERNODE_ASSIGN_OR_RETURN(
      const std::vector<core::Extent> ranges,
      SelectRanges(noncore_dims, spec.core_dims, spec.select));
  INTERNODE_ASSIGN_OR_RETURN(
      plan->grid,
      MakeTaskGrid(cube, plan->request, noncore_dims, ranges, spec.chunks));
  return absl::OkStatus();
}

}  // namespace

core::CubeInfo CubeOfShape(const core::Dimensions& shape) {
  core::CubeInfo cube;
  cube.dims = shape;
  return cube;
}

core::JobSpec ResolveSpec(core::JobSpec spec, const core::CubeInfo& cube) {
  if (spec.default_core_dims) {
    spec.core_dims =
        spec.shape.empty() ? DefaultCoreDims(cube) : std::vector<std::string>();
    spec.default_core_dims = false;
  }
  return spec;
}

std::vector<std::string> DefaultCoreDims(const core::CubeInfo& cube) {
  std::vector<std::string> dims;
  if (!cube.band_dim.empty()) dims.push_back(cube.band_dim);
  dims.push_back(cube.time.has_value() ? cube.time->dim : "time");
  return dims;
}

absl::StatusOr<JobPlan> MakeJobPlan(const core::JobSpec& spec,
                                    const core::CubeInfo& cube,
                                    const Registry& registry) {
  JobPlan plan;
  INTERNODE_ASSIGN_OR_RETURN(plan.function, registry.Find(spec.function));
  const FunctionInfo& info = plan.function->info();
  absl::StatusOr<Parameters> parameters =
      Parameters::Parse(info.parameters, spec.parameters);
  if (!parameters.ok()) return OfFunction(info, parameters.status());
  plan.parameters = *std::move(parameters);

  INTERNODE_ASSIGN_OR_RETURN(
      FilledRoles filled,
      FillRoles(info, cube, spec.core_dims, spec.variables));
  INTERNODE_ASSIGN_OR_RETURN(plan.inputs, MakeInputs(spec, cube, info, filled));
  plan.request = MakeRequest(spec, plan.inputs, filled.noncore_dims);
  INTERNODE_RETURN_IF_ERROR(PlanTasks(spec, cube, filled.noncore_dims, &plan));

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> prepared =
      plan.function->Prepare(plan.parameters, plan.inputs);
  if (!prepared.ok()) return OfFunction(info, prepared.status());
  plan.prepared = *std::move(prepared);
  plan.notes = std::move(filled.notes);
  if (!spec.nodata.has_value()) {
    NoteUsualNodata(cube, plan.inputs, &plan.notes);
  }
  for (std::string& note : plan.prepared->notes()) {
    plan.notes.push_back(std::move(note));
  }
  return plan;
}

}  // namespace internode::functions
