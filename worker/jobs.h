#ifndef INTERNODE_WORKER_JOBS_H_
#define INTERNODE_WORKER_JOBS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "core/job_spec.h"
#include "core/planned_job.h"
#include "cube/block_reader.h"
#include "cube/cube.h"
#include "cube/read_counters.h"
#include "functions/registry.h"
#include "worker/data_roots.h"
#include "worker/engine/worker_job.h"

namespace internode::worker {

// Plans jobs against the functions and the files of this worker. Thread-safe:
// immutable.
class Jobs {
 public:
  struct Options {
    DataRoots data_roots;
    // Of the process: for storage chunks that blocks share, and for what is in
    // flight on the way to a block.
    int64_t cache_bytes = cube::UsualCacheBytes();
  };
  Jobs(const Options& options, functions::Registry registry);

  // The plan of a spec that its user states. Errors: as MakeJobPlan and
  // Cube::Open; kPermissionDenied, a path outside the data roots.
  absl::StatusOr<core::PlannedJob> Plan(const core::JobSpec& spec) const;

  // What the tasks of a planned job need. Errors: as Plan; kFailedPrecondition,
  // the cube or the function is not what it was when the job was planned.
  absl::StatusOr<std::shared_ptr<const WorkerJob>> Open(
      const JobRequest& request) const;

  // A cube as JSON. Errors: as Plan.
  absl::StatusOr<std::string> Describe(
      const std::string& path, const std::string& group,
      const std::vector<core::DimensionNames>& dimension_names) const;

  // What all jobs read since the process began.
  cube::ReadCounters read_counters() const;

  // Each function as JSON.
  std::vector<std::string> FunctionsJson() const;

 private:
  struct OpenedCube {
    // Null for a job without a cube.
    std::shared_ptr<const cube::Cube> cube;
    // With the path as the user states it.
    core::CubeInfo info;
  };
  struct Planned {
    OpenedCube cube;
    functions::JobPlan plan;
    core::PlannedJob job;
  };

  absl::StatusOr<OpenedCube> OpenCube(const core::JobSpec& spec) const;
  absl::StatusOr<Planned> MakePlan(const core::JobSpec& spec) const;

  const Options options_;
  const functions::Registry registry_;
  // Of all jobs. Thread-safe.
  const std::shared_ptr<cube::ReadPool> read_pool_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_JOBS_H_
