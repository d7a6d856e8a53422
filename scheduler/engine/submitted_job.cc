#include "scheduler/engine/submitted_job.h"

#include <cstddef>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "core/frame.h"
#include "core/interval_set.h"
#include "core/planned_job.h"
#include "core/record_schema.h"
#include "core/selection.h"
#include "rpc/job_proto.h"
#include "scheduler/core/options.h"

namespace internode::scheduler {
namespace {

namespace value = ::internode::core;

constexpr size_t kMostJobNameBytes = 256;
constexpr size_t kRequestIdBytes = 16;

absl::Status TooManyPixels() {
  return absl::InvalidArgumentError(
      "the selections have more than 2^63 pixels together");
}

// The pixels of all selections together.
absl::StatusOr<int64_t> CountPixels(const value::PlannedJob& job) {
  int64_t pixels = 0;
  for (const value::Selection& selection : job.selections) {
    int64_t own = 1;
    for (const value::Extent& extent : selection.extents) {
      if (__builtin_mul_overflow(own, extent.size(), &own)) {
        return TooManyPixels();
      }
    }
    if (__builtin_add_overflow(pixels, own, &pixels)) return TooManyPixels();
  }
  return pixels;
}

// The pixels of the chunks 0 to i - 1 together, 0 <= i <= num_chunks().
int64_t PixelsBefore(const value::ChunkGrid& grid, int64_t i) {
  if (i <= 0) return 0;
  if (i >= grid.num_chunks()) return grid.num_pixels();
  // From the slowest dimension on: all chunks that come earlier in it, with
  // the slower dimensions as in chunk i and the faster ones whole.
  const value::Selection chunk = grid.Chunk(i);
  int64_t pixels = 0;
  int64_t slower = 1;
  int64_t faster = grid.num_pixels();
  for (size_t d = 0; d < chunk.extents.size(); ++d) {
    const value::DimensionCut& cut = grid.cuts()[d];
    faster /= cut.end - cut.begin;
    pixels += slower * (chunk.extents[d].begin - cut.begin) * faster;
    slower *= chunk.extents[d].size();
  }
  return pixels;
}

absl::Status ReadPolicy(const v1::JobPolicy& policy, SubmittedJob* job) {
  if (policy.priority() < -100 || policy.priority() > 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("priority is ", policy.priority(), "; it is -100 to 100"));
  }
  if (policy.has_max_retries() && policy.max_retries() > 100) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_retries is ", policy.max_retries(), "; it is 0 to 100"));
  }
  if (policy.name().size() > kMostJobNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the job's name has ", policy.name().size(),
                     " bytes; it has at most ", kMostJobNameBytes));
  }
  if (policy.has_task_timeout_ns()) {
    if (policy.task_timeout_ns() <= 0) {
      return absl::InvalidArgumentError(absl::StrCat("task_timeout is ",
                                                     policy.task_timeout_ns(),
                                                     " ns; it is more than 0"));
    }
    job->policies.task_timeout = absl::Nanoseconds(policy.task_timeout_ns());
  }
  job->priority = policy.priority();
  job->name = policy.name();
  job->policies.max_retries =
      policy.has_max_retries() ? static_cast<int>(policy.max_retries()) : 3;
  job->policies.max_failed_tasks = policy.fail_fast() ? 0 : -1;
  return absl::OkStatus();
}

absl::StatusOr<SubmittedJob> ReadRequest(const v1::SubmitJobRequest& request) {
  if (!request.has_plan()) {
    return absl::InvalidArgumentError("the submission has no plan");
  }
  if (request.plan().spec().function().empty()) {
    return absl::InvalidArgumentError("the plan has no function");
  }
  SubmittedJob job;
  INTERNODE_RETURN_IF_ERROR(ReadPolicy(request.policy(), &job));
  INTERNODE_ASSIGN_OR_RETURN(value::PlannedJob planned,
                             rpc::FromProto(request.plan()));
  job.num_tasks = planned.num_tasks();
  job.policies.tasks_together = planned.tasks_together;
  job.num_pixels = planned.grid.num_pixels();
  if (!planned.selections.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(job.num_pixels, CountPixels(planned));
  }
  if (planned.schema != nullptr) {
    job.record_bytes = planned.schema->record_bytes();
  }
  job.grid = std::move(planned.grid);
  if (job.num_tasks > core::kMostTasks) {
    return absl::InvalidArgumentError(
        absl::StrCat("job has ", job.num_tasks, " tasks; a job has at most ",
                     core::kMostTasks, ": choose larger chunks"));
  }
  if (request.request_id().size() != kRequestIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request id has ", request.request_id().size(),
                     " bytes; it has ", kRequestIdBytes));
  }
  job.request_id = request.request_id();
  job.owner = request.owner();
  return job;
}

}  // namespace

absl::Status SubmittedJob::CheckFrame(const value::FrameView& frame) const {
  const value::Interval tasks = frame.tasks();
  if (tasks.begin < 0 || tasks.end > num_tasks) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame holds tasks ", tasks.begin, " to ", tasks.end,
                     " of a job of ", num_tasks));
  }
  int64_t pixels = 0;
  if (plan->selections_size() == 0) {
    pixels = PixelsBefore(grid, tasks.end) - PixelsBefore(grid, tasks.begin);
  } else {
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
      int64_t own = 1;
      for (const v1::Selection::Extent& extent :
           plan->selections(static_cast<int>(task)).extents()) {
        own *= extent.end() - extent.begin();
      }
      pixels += own;
    }
  }
  if (frame.num_pixels() != pixels) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame of ", frame.num_pixels(), " pixels holds tasks ",
                     tasks.begin, " to ", tasks.end, ", which have ", pixels));
  }
  if (frame.num_records() > 0 && frame.record_bytes() != record_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame has records of ", frame.record_bytes(),
                     " bytes; those of its job have ", record_bytes));
  }
  return absl::OkStatus();
}

std::string SubmittedJob::LocationOf(int64_t task) const {
  std::string text;
  const auto add = [&](const std::string& dim, int64_t begin, int64_t end,
                       bool is_index) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", dim, "=", begin);
    if (!is_index) absl::StrAppend(&text, ":", end);
  };
  if (plan->selections_size() > 0) {
    const v1::Selection& selection = plan->selections(static_cast<int>(task));
    for (int d = 0; d < selection.extents_size(); ++d) {
      const v1::Selection::Extent& extent = selection.extents(d);
      add(plan->grid().dims(d).name(), extent.begin(), extent.end(),
          extent.is_index());
    }
    return text;
  }
  const value::Selection selection = grid.Chunk(task);
  for (size_t d = 0; d < selection.extents.size(); ++d) {
    const value::Extent& extent = selection.extents[d];
    add(plan->grid().dims(static_cast<int>(d)).name(), extent.begin, extent.end,
        extent.is_index);
  }
  return text;
}

absl::StatusOr<SubmittedJob> CheckSubmission(
    const v1::SubmitJobRequest& submitted, absl::string_view owner) {
  v1::SubmitJobRequest request = submitted;
  request.set_owner(std::string(owner));
  INTERNODE_ASSIGN_OR_RETURN(SubmittedJob job, ReadRequest(request));
  job.bytes = request.SerializeAsString();
  job.plan = std::make_shared<const v1::JobPlan>(request.plan());
  return job;
}

absl::StatusOr<SubmittedJob> ParseStoredJob(absl::string_view bytes) {
  v1::SubmitJobRequest request;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the journal's plan of the job is damaged");
  }
  INTERNODE_ASSIGN_OR_RETURN(SubmittedJob job, ReadRequest(request));
  job.bytes = std::string(bytes);
  job.plan =
      std::make_shared<const v1::JobPlan>(std::move(*request.mutable_plan()));
  return job;
}

}  // namespace internode::scheduler
