#ifndef INTERNODE_CLIENT_JOB_STATE_H_
#define INTERNODE_CLIENT_JOB_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/job_spec.h"
#include "cube/cube.h"
#include "functions/job_plan.h"
#include "functions/registry.h"
#include "internode/job.h"

namespace internode::client {

// What a Job holds. Immutable after construction.
struct JobState {
  core::JobSpec spec;
  std::shared_ptr<const cube::Cube> cube;
  functions::JobPlan plan;
  std::string canonical_command;
  std::vector<std::string> dim_names() const;
};

absl::StatusOr<std::shared_ptr<const cube::Cube>> OpenCube(
    const CubeOptions& options);

// The built-in functions, and those of the libraries in `function_path`.
absl::StatusOr<functions::Registry> LoadRegistry(
    const std::vector<std::string>& function_path);

// Checks `options` against the cube and the function.
absl::StatusOr<std::shared_ptr<const JobState>> OpenJob(
    const JobOptions& options);

// The command line that states the same job, with what was left open filled
// in; quoted for a shell.
std::string CanonicalCommand(const JobOptions& options,
                             const core::JobSpec& spec);

// The index of pixel `p`, in row-major order, of `selection`.
std::vector<int64_t> PixelIndex(const core::Selection& selection, int64_t p);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_JOB_STATE_H_
