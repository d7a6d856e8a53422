#ifndef INTERNODE_CLIENT_JOB_DATA_H_
#define INTERNODE_CLIENT_JOB_DATA_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/job_spec.h"
#include "core/planned_job.h"
#include "cube/cube.h"
#include "functions/job_plan.h"
#include "functions/registry.h"
#include "internode/job.h"

namespace internode::client {

// What a Job holds. Immutable after construction.
struct JobData {
  // All that writing and collecting its results needs.
  core::PlannedJob planned;
  std::string canonical_command;

  // What running it in this process needs besides: absent in a job that was
  // planned elsewhere.
  struct Local {
    // Null: a job without a cube.
    std::shared_ptr<const cube::Cube> cube;
    functions::JobPlan plan;
  };
  std::optional<Local> local;
};

absl::StatusOr<std::shared_ptr<const cube::Cube>> OpenCube(
    const CubeOptions& options);

// The built-in functions, and those of the libraries in `function_path`.
absl::StatusOr<functions::Registry> LoadRegistry(
    const std::vector<std::string>& function_path);

// What `options` state, the cube's path made absolute. Errors
// (kInvalidArgument): a shape beside a cube.
absl::StatusOr<core::JobSpec> SpecOf(const JobOptions& options);

// Checks `options` against the cube and the function, in this process.
absl::StatusOr<std::shared_ptr<const JobData>> PlanLocally(
    const JobOptions& options);

// A job that was planned elsewhere.
std::shared_ptr<const JobData> DataOf(core::PlannedJob planned);

// The command line that states the same job, with what was left open filled
// in; quoted for a shell.
std::string CanonicalCommand(const core::JobSpec& spec);

// The index of pixel `p`, in row-major order, of `selection`.
std::vector<int64_t> PixelIndex(const core::Selection& selection, int64_t p);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_JOB_DATA_H_
