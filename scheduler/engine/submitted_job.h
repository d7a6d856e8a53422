#ifndef INTERNODE_SCHEDULER_ENGINE_SUBMITTED_JOB_H_
#define INTERNODE_SCHEDULER_ENGINE_SUBMITTED_JOB_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/chunk_grid.h"
#include "core/frame.h"
#include "internode/v1/client.pb.h"
#include "scheduler/core/job_policies.h"

namespace internode::scheduler {

// A submission that was checked, with what the scheduler takes from it. A
// value; thread-compatible.
struct SubmittedJob {
  // What the journal keeps of it, to be read again by ParseStoredJob.
  std::string bytes;
  std::shared_ptr<const v1::JobPlan> plan;
  // Of the plan; not used when the plan has selections.
  internode::core::ChunkGrid grid;
  int64_t num_tasks = 0;
  int64_t num_pixels = 0;
  // Of one record.
  int64_t record_bytes = 0;
  std::string name;
  std::string owner;
  std::string request_id;
  int priority = 0;
  core::JobPolicies policies;

  // Whether a frame of tasks of this job has their pixels and its records.
  // Error (kInvalidArgument): it has not; or the tasks are not the job's.
  absl::Status CheckFrame(const internode::core::FrameView& frame) const;

  // Where a task lies, for people: "y=0:100, x=200:300". 0 <= task <
  // num_tasks.
  std::string LocationOf(int64_t task) const;
};

// Checks what `owner` submitted. Errors (kInvalidArgument): no plan, a grid
// that is none or overflows, too many selections, a selection outside the
// dimensions, more tasks than the scheduler takes, parameters over 1 MiB, a
// policy out of its range, a request id that is not 16 bytes.
absl::StatusOr<SubmittedJob> CheckSubmission(
    const v1::SubmitJobRequest& request, absl::string_view owner);

// What the journal kept. Errors: as above, and kDataLoss.
absl::StatusOr<SubmittedJob> ParseStoredJob(absl::string_view bytes);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_SUBMITTED_JOB_H_
