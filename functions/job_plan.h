#ifndef INTERNODE_FUNCTIONS_JOB_PLAN_H_
#define INTERNODE_FUNCTIONS_JOB_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/dimension.h"
#include "core/job_spec.h"
#include "core/selection.h"
#include "functions/function.h"
#include "functions/registry.h"

namespace internode::functions {

// A job checked against its cube and function: all that a reader, a kernel and
// a writer of its output need. The same spec, cube and registry give the same
// plan, wherever it is made. Immutable after construction.
struct JobPlan {
  std::shared_ptr<const Function> function;
  Parameters parameters;
  FunctionInputs inputs;
  std::shared_ptr<const PreparedFunction> prepared;
  core::BlockRequest request;
  core::ChunkGrid grid;
  // The tasks, where the spec lists them; empty: they are the grid's chunks.
  std::vector<core::Selection> selections;
  // What was guessed or chosen for the user, one sentence each:
  // "qa: cfmask (guessed)".
  std::vector<std::string> notes;

  int64_t num_tasks() const {
    return selections.empty() ? grid.num_chunks()
                              : static_cast<int64_t>(selections.size());
  }
  // 0 <= i < num_tasks().
  core::Selection Task(int64_t i) const {
    return selections.empty() ? grid.Chunk(i)
                              : selections[static_cast<size_t>(i)];
  }
};

// The core dimensions of a job whose user names none: the band dimension, if
// there is one, and that of time.
std::vector<std::string> DefaultCoreDims(const core::CubeInfo& cube);

// What stands for the cube of a job without one: `shape`, and no variables.
core::CubeInfo CubeOfShape(const core::Dimensions& shape);

// `spec` with the core dimensions that `cube` decides on, if it is to.
core::JobSpec ResolveSpec(core::JobSpec spec, const core::CubeInfo& cube);

// Plans a resolved spec. Errors (kInvalidArgument, kNotFound), each naming what
// exists instead: unknown function, parameter, variable, role or dimension; a
// required role that nothing fills; core dimensions that the cube or a variable
// lacks; variables over unequal dimensions; a selection that is empty or out of
// range; bad chunk sizes; listed selections that are not within the dimensions,
// or more than kMaxSelections; no decoded time axis where the function needs
// one.
absl::StatusOr<JobPlan> MakeJobPlan(const core::JobSpec& spec,
                                    const core::CubeInfo& cube,
                                    const Registry& registry);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_JOB_PLAN_H_
