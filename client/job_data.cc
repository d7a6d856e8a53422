#include "client/job_data.h"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/convert.h"
#include "functions/job_plan.h"
#include "functions/planned_job.h"
#include "rpc/job_proto.h"

namespace internode::client {
namespace {

// As another process, in another folder, finds it. Symbolic links stay.
absl::StatusOr<std::string> AbsolutePath(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot tell the folder that '", path, "' is in: ", error.message()));
  }
  return absolute.lexically_normal().string();
}

void CopyCubeOptions(const CubeOptions& cube, core::JobSpec* spec) {
  spec->cube_group = cube.group;
  for (const DimensionNames& names : cube.dimension_names) {
    spec->dimension_names.push_back({names.variable, names.names});
  }
  spec->default_core_dims = !cube.core_dims.has_value();
  spec->core_dims = cube.core_dims.value_or(std::vector<std::string>());
  spec->chunks = ToCore(cube.chunks);
  for (const VariableChoice& choice : cube.variables) {
    spec->variables.push_back({choice.role, choice.variable});
  }
  for (const DimensionRange& range : cube.select) {
    spec->select.push_back({range.dim, range.begin, range.end});
  }
  spec->nodata = cube.nodata;
  spec->selections.reserve(cube.selections.size());
  for (const Selection& selection : cube.selections) {
    spec->selections.push_back(ToCore(selection));
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const cube::Cube>> OpenCube(
    const CubeOptions& options) {
  cube::OpenOptions open;
  open.group = options.group;
  open.dimension_names.reserve(options.dimension_names.size());
  for (const DimensionNames& names : options.dimension_names) {
    open.dimension_names.push_back({names.variable, names.names});
  }
  return cube::Cube::Open(options.path, open);
}

absl::StatusOr<core::JobSpec> SpecOf(const JobOptions& options) {
  if (!options.shape.empty() && !options.cube.path.empty()) {
    return absl::InvalidArgumentError(
        "a job has a cube or a shape; this one has both");
  }
  size_t parameter_bytes = 0;
  for (const auto& [name, value] : options.parameters) {
    parameter_bytes += name.size() + value.size();
  }
  if (parameter_bytes > rpc::kMaxParameterBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the parameters have ", parameter_bytes, " bytes together; at most ",
        rpc::kMaxParameterBytes, " are allowed"));
  }
  core::JobSpec spec;
  spec.function = options.function;
  spec.parameters = options.parameters;
  INTERNODE_ASSIGN_OR_RETURN(spec.cube_path, AbsolutePath(options.cube.path));
  CopyCubeOptions(options.cube, &spec);
  spec.shape = ToCore(options.shape);
  if (!options.shape.empty()) {
    // There is no cube to decide.
    spec.default_core_dims = false;
  }
  return spec;
}

absl::StatusOr<std::shared_ptr<const JobData>> PlanLocally(
    const JobOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                             LoadRegistry(options.function_path));
  // A misspelt function is told before a large file is opened.
  INTERNODE_RETURN_IF_ERROR(registry.Find(options.function).status());
  INTERNODE_ASSIGN_OR_RETURN(core::JobSpec spec, SpecOf(options));
  JobData::Local local;
  core::CubeInfo info;
  if (options.shape.empty()) {
    CubeOptions cube = options.cube;
    cube.path = spec.cube_path;
    INTERNODE_ASSIGN_OR_RETURN(local.cube, OpenCube(cube));
    info = local.cube->info();
  } else {
    info = functions::CubeOfShape(spec.shape);
  }
  spec = functions::ResolveSpec(std::move(spec), info);
  INTERNODE_ASSIGN_OR_RETURN(local.plan,
                             functions::MakeJobPlan(spec, info, registry));
  auto data = std::make_shared<JobData>();
  data->planned = functions::MakePlannedJob(spec, info, local.plan);
  data->canonical_command = CanonicalCommand(spec);
  data->local = std::move(local);
  return data;
}

std::shared_ptr<const JobData> DataOf(core::PlannedJob planned) {
  auto data = std::make_shared<JobData>();
  data->planned = std::move(planned);
  data->canonical_command = CanonicalCommand(data->planned.spec);
  return data;
}

std::vector<int64_t> PixelIndex(const core::Selection& selection, int64_t p) {
  std::vector<int64_t> index(selection.extents.size());
  for (size_t d = index.size(); d-- > 0;) {
    const core::Extent& extent = selection.extents[d];
    index[d] = extent.begin + p % extent.size();
    p /= extent.size();
  }
  return index;
}

}  // namespace internode::client
