#include "client/remote/wire.h"

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "client/job_data.h"
#include "internode/cluster.h"
#include "rpc/job_proto.h"

namespace internode::client {
namespace {

// 16 bytes that no other request has.
std::string RequestId() {
  std::random_device device;
  std::string id;
  while (id.size() < 16) {
    const unsigned int word = device();
    for (int byte = 0; byte < 4; ++byte) {
      id.push_back(static_cast<char>(word >> (8 * byte)));
    }
  }
  return id;
}

absl::StatusOr<Job> JobOf(const v1::JobPlan& plan) {
  INTERNODE_ASSIGN_OR_RETURN(core::PlannedJob planned, rpc::FromProto(plan));
  return Job(DataOf(std::move(planned)));
}

// How long who gave up waits until it is known what became of the submission.
constexpr absl::Duration kUnsubmitTimeout = absl::Milliseconds(1500);

// Cancels the job of a submission that was given up before it was answered:
// sent again, it tells the id of the job, whether or not it had arrived.
absl::Status Unsubmit(Connection* connection,
                      const v1::SubmitJobRequest& request) {
  CallLimits limits;
  limits.deadline = absl::Now() + kUnsubmitTimeout;
  v1::SubmitJobResponse submitted;
  absl::Status status = connection->Call(
      &Connection::Stub::PrepareAsyncSubmitJob, request, &submitted, limits);
  if (status.ok()) {
    v1::CancelJobRequest cancel;
    cancel.set_job_id(submitted.job_id());
    cancel.set_reason("its client gave it up");
    v1::CancelJobResponse cancelled;
    status = connection->Call(&Connection::Stub::PrepareAsyncCancelJob, cancel,
                              &cancelled, limits);
    if (status.ok()) {
      return absl::CancelledError(
          absl::StrCat("cancelled, with job ", submitted.job_id()));
    }
    return absl::CancelledError(absl::StrCat(
        "cancelled, but job ", submitted.job_id(), " goes on: internode job ",
        "cancel ", submitted.job_id(), " --scheduler ", connection->address()));
  }
  // What is refused now was not accepted before.
  if (absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status) ||
      absl::IsPermissionDenied(status)) {
    return absl::CancelledError("cancelled; there is no job");
  }
  return absl::CancelledError(absl::StrCat(
      "cancelled while the job was submitted, and the scheduler at ",
      connection->address(), " does not answer: if the job arrived it goes ",
      "on; look with internode job list --scheduler ", connection->address()));
}

}  // namespace

CallLimits LimitsOf(const CallOptions& options) {
  CallLimits limits;
  if (options.deadline.has_value()) {
    limits.deadline = absl::FromChrono(*options.deadline);
  }
  limits.cancel = options.cancel;
  return limits;
}

JobStatus StatusOf(const v1::JobInfo& info) {
  JobStatus status;
  status.id = info.id();
  status.name = info.name();
  status.state = static_cast<JobState>(info.state());
  status.function = info.function();
  status.cube_path = info.cube_path();
  status.priority = info.priority();
  status.tasks = info.tasks();
  status.tasks_done = info.tasks_done();
  status.tasks_failed = info.tasks_failed();
  status.tasks_leased = info.tasks_leased();
  status.pixels = info.pixels();
  status.task_time = std::chrono::nanoseconds(info.task_ns());
  status.spool_bytes = info.spool_bytes();
  status.submitted_ns = info.submitted_ns();
  status.started_ns = info.started_ns();
  status.ended_ns = info.ended_ns();
  status.message = info.message();
  return status;
}

TaskFailure FailureOf(const v1::TaskFailure& failure) {
  TaskFailure result;
  result.task = failure.task();
  result.location = failure.location();
  result.message = failure.message();
  result.attempts = static_cast<int>(failure.attempts());
  result.poisonous = failure.poisonous();
  result.history.assign(failure.history().begin(), failure.history().end());
  return result;
}

v1::JobPolicy ToProto(const JobPolicy& policy) {
  v1::JobPolicy result;
  result.set_priority(policy.priority);
  if (policy.max_retries.has_value()) {
    result.set_max_retries(static_cast<uint32_t>(*policy.max_retries));
  }
  result.set_fail_fast(policy.fail_fast);
  result.set_name(policy.name);
  if (policy.task_timeout.has_value()) {
    result.set_task_timeout_ns(policy.task_timeout->count());
  }
  return result;
}

absl::StatusOr<Job> PlanRemotely(Connection* connection,
                                 const JobOptions& options,
                                 const CallLimits& limits) {
  INTERNODE_ASSIGN_OR_RETURN(const core::JobSpec spec, SpecOf(options));
  v1::PlanJobRequest request;
  *request.mutable_spec() = rpc::ToProto(spec);
  v1::PlanJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Connection::Stub::PrepareAsyncPlanJob, request, &response, limits));
  return JobOf(response.plan());
}

absl::StatusOr<std::string> SubmitPlan(Connection* connection, const Job& job,
                                       const JobPolicy& policy,
                                       const CallLimits& limits) {
  if (policy.max_retries.has_value() &&
      (*policy.max_retries < 0 || *policy.max_retries > 100)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_retries is ", *policy.max_retries, "; it must be from 0 to 100"));
  }
  v1::SubmitJobRequest request;
  *request.mutable_plan() = rpc::ToProto(job.state().planned);
  *request.mutable_policy() = ToProto(policy);
  // The same in every attempt: they make one job.
  request.set_request_id(RequestId());
  v1::SubmitJobResponse response;
  const absl::Status status = connection->Call(
      &Connection::Stub::PrepareAsyncSubmitJob, request, &response, limits);
  if (absl::IsCancelled(status)) return Unsubmit(connection, request);
  INTERNODE_RETURN_IF_ERROR(status);
  return response.job_id();
}

absl::StatusOr<Job> GetPlan(Connection* connection, const std::string& id,
                            const CallLimits& limits) {
  v1::GetJobRequest request;
  request.set_job_id(id);
  request.set_with_plan(true);
  v1::GetJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Connection::Stub::PrepareAsyncGetJob, request, &response, limits));
  absl::StatusOr<Job> job = JobOf(response.plan());
  if (job.ok()) return job;
  return absl::DataLossError(absl::StrCat(
      "the plan of job ", id, " makes no sense: ", job.status().message()));
}

absl::StatusOr<std::shared_ptr<Connection>> ConnectionOf(
    const Executor* executor, absl::string_view what) {
  std::shared_ptr<Connection> connection = executor->connection();
  if (connection != nullptr) return connection;
  return absl::UnimplementedError(absl::StrCat(
      "executor ", ExecutorKindName(executor->kind()), " has no scheduler, ",
      "which ", what,
      " needs; use executor distributed or processes (--scheduler or "
      "--nprocs)"));
}

void TellIfWorkersLack(const Executor& executor) {
  if (executor.num_workers() > 0) return;
  LogWarning("the scheduler at ", SchedulerAddress(&executor),
             " has no workers; waiting for one (internode-worker ",
             SchedulerAddress(&executor), ")");
}

}  // namespace internode::client
