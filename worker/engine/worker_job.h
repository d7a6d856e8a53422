#ifndef INTERNODE_WORKER_ENGINE_WORKER_JOB_H_
#define INTERNODE_WORKER_ENGINE_WORKER_JOB_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "functions/job_plan.h"
#include "functions/task_runner.h"
#include "worker/engine/messages.h"

namespace internode::worker {

// A job that was planned here and whose cube is open: what its tasks need.
// Immutable; `read` is thread-safe.
struct WorkerJob {
  functions::JobPlan plan;
  functions::ReadBlock read;
  // Whether `read` takes time, so that reading ahead pays.
  bool reads = false;
  // Of a block, for each of its pixels.
  int64_t bytes_per_pixel = 0;
  // The non-core dimensions, for messages.
  std::vector<std::string> dim_names;
};

// Plans a job. Runs on a compute thread; thread-safe. Errors concern all of
// the job's tasks, and this worker alone: another may do better.
using OpenJob = std::function<absl::StatusOr<std::shared_ptr<const WorkerJob>>(
    const JobRequest& request)>;

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_WORKER_JOB_H_
