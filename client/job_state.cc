#include "client/job_state.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "client/convert.h"
#include "functions/job_plan.h"

namespace internode::client {
namespace {

core::JobSpec ToSpec(const JobOptions& options, const core::CubeInfo& cube) {
  core::JobSpec spec;
  spec.function = options.function;
  spec.parameters = options.parameters;
  spec.cube_path = options.cube.path;
  spec.cube_group = options.cube.group;
  spec.core_dims = options.cube.core_dims.has_value()
                       ? *options.cube.core_dims
                       : functions::DefaultCoreDims(cube);
  spec.chunks = ToCore(options.cube.chunks);
  for (const VariableChoice& choice : options.cube.variables) {
    spec.variables.push_back({choice.role, choice.variable});
  }
  for (const DimensionRange& range : options.cube.select) {
    spec.select.push_back({range.dim, range.begin, range.end});
  }
  spec.nodata = options.cube.nodata;
  return spec;
}

}  // namespace

std::vector<std::string> JobState::dim_names() const {
  std::vector<std::string> names;
  for (const core::Dimension& dim : plan.grid.dims()) names.push_back(dim.name);
  return names;
}

absl::StatusOr<std::shared_ptr<const cube::Cube>> OpenCube(
    const CubeOptions& options) {
  cube::OpenOptions open;
  open.group = options.group;
  for (const DimensionNames& names : options.dimension_names) {
    open.dimension_names.push_back({names.variable, names.names});
  }
  return cube::Cube::Open(options.path, open);
}

absl::StatusOr<std::shared_ptr<const JobState>> OpenJob(
    const JobOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                             LoadRegistry(options.function_path));
  // A misspelt function is told before a large file is opened.
  INTERNODE_RETURN_IF_ERROR(registry.Find(options.function).status());
  auto state = std::make_shared<JobState>();
  INTERNODE_ASSIGN_OR_RETURN(state->cube, OpenCube(options.cube));
  state->spec = ToSpec(options, state->cube->info());
  INTERNODE_ASSIGN_OR_RETURN(
      state->plan,
      functions::MakeJobPlan(state->spec, state->cube->info(), registry));
  state->canonical_command = CanonicalCommand(options, state->spec);
  return state;
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
