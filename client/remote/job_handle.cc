#include "internode/job_handle.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/mutex.h"
#include "base/status_macros.h"
#include "client/remote/connection.h"
#include "client/remote/fetch.h"
#include "client/remote/stream_reader.h"
#include "client/remote/wire.h"

namespace internode {
namespace {

using client::CallLimits;
using client::Connection;
using client::LimitsOf;
using client::StatusOf;
using Stub = Connection::Stub;

// How often a quiet stream is left to look whether it should end.
constexpr absl::Duration kWatchInterval = absl::Milliseconds(50);

// Reads one stream of changes until the job ends or `on_change` is through.
absl::Status WatchOnce(Connection* connection, const std::string& id,
                       const CallLimits& limits, Connection::Retry* retry,
                       const std::function<bool(const JobStatus&)>& on_change,
                       bool* through) {
  using Reader = client::StreamReader<v1::JobInfo>;
  v1::WatchJobRequest request;
  request.set_job_id(id);
  Reader reader([&](grpc::ClientContext* context,
                    grpc::CompletionQueue* queue) {
    return connection->stub()->PrepareAsyncWatchJob(context, request, queue);
  });
  v1::JobInfo info;
  while (true) {
    switch (reader.Next(absl::Now() + kWatchInterval, &info)) {
      case Reader::Event::kMessage: {
        retry->Progressed();
        const JobStatus status = StatusOf(info);
        *through = !on_change(status) || status.ended();
        if (*through) return absl::OkStatus();
        break;
      }
      case Reader::Event::kTimeout:
        if (absl::Status end = connection->Interrupted(limits); !end.ok()) {
          *through = true;
          return end;
        }
        break;
      case Reader::Event::kEnd: {
        const absl::Status status = Connection::StatusOf(reader.status());
        // The end of a job is a message, and ends the watch.
        return status.ok() ? absl::UnavailableError("the watch ended") : status;
      }
    }
  }
}

}  // namespace

absl::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kCompleted:
      return "completed";
    case JobState::kCompletedWithFailures:
      return "completed_with_failures";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

struct Background::State {
  std::atomic<bool> cancel = false;
  std::thread thread;
};

Background::Background(Work work) : state_(std::make_unique<State>()) {
  state_->thread = std::thread(
      [work = std::move(work), cancel = &state_->cancel] { work(cancel); });
}

Background::~Background() {
  Cancel();
  state_->thread.join();
}

void Background::Cancel() { state_->cancel = true; }

// The plan, once it was asked for.
struct JobHandle::PlanOnce {
  Mutex mu;
  std::optional<Job> job ABSL_GUARDED_BY(mu);
};

JobHandle::JobHandle(std::shared_ptr<Connection> connection, std::string id,
                     std::optional<Job> plan)
    : connection_(std::move(connection)),
      id_(std::move(id)),
      plan_(std::make_shared<PlanOnce>()) {
  MutexLock lock(&plan_->mu);
  plan_->job = std::move(plan);
}

absl::StatusOr<Job> JobHandle::Plan(const CallOptions& options) const {
  {
    MutexLock lock(&plan_->mu);
    if (plan_->job.has_value()) return *plan_->job;
  }
  // Two threads may both ask; the answers are the same.
  INTERNODE_ASSIGN_OR_RETURN(
      Job job, client::GetPlan(connection_.get(), id_, LimitsOf(options)));
  MutexLock lock(&plan_->mu);
  plan_->job = job;
  return job;
}

absl::StatusOr<JobStatus> JobHandle::Status(const CallOptions& options) const {
  v1::GetJobRequest request;
  request.set_job_id(id_);
  v1::GetJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection_->Call(
      &Stub::PrepareAsyncGetJob, request, &response, LimitsOf(options)));
  return StatusOf(response.job());
}

absl::Status JobHandle::Watch(
    const std::function<bool(const JobStatus&)>& on_change,
    const CallOptions& options) const {
  const CallLimits limits = LimitsOf(options);
  Connection::Retry retry(connection_.get(), limits);
  bool through = false;
  while (true) {
    INTERNODE_RETURN_IF_ERROR(connection_->Interrupted(limits));
    absl::Status status =
        WatchOnce(connection_.get(), id_, limits, &retry, on_change, &through);
    if (through) return status;
    absl::Status ended = retry.Ended(status);
    if (!retry.again()) return ended;
  }
}

std::unique_ptr<Background> JobHandle::StartWatch(
    std::function<bool(const JobStatus&)> on_change,
    std::function<void(const absl::Status&)> on_end) const {
  return std::make_unique<Background>(
      [job = *this, on_change = std::move(on_change),
       on_end = std::move(on_end)](const std::atomic<bool>* cancel) {
        CallOptions options;
        options.cancel = cancel;
        on_end(job.Watch(on_change, options));
      });
}

absl::StatusOr<JobStatus> JobHandle::Wait(const CallOptions& options) const {
  JobStatus last;
  INTERNODE_RETURN_IF_ERROR(Watch(
      [&last](const JobStatus& status) {
        last = status;
        return true;
      },
      options));
  return last;
}

absl::StatusOr<int64_t> JobHandle::Fetch(JobSink* sink,
                                         const FetchOptions& options) const {
  INTERNODE_ASSIGN_OR_RETURN(const Job job, Plan(options.call));
  client::FetchRange range;
  range.first_task = options.first_task;
  range.end_task = options.end_task == -1 ? job.num_chunks() : options.end_task;
  range.done_only = options.done_only;
  if (range.first_task < 0 || range.first_task > range.end_task ||
      range.end_task > job.num_chunks()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tasks ", options.first_task, " to ", options.end_task,
        " are not within the ", job.num_chunks(), " of job ", id_));
  }
  return client::FetchChunks(connection_.get(), id_, job, range,
                             LimitsOf(options.call), sink);
}

std::unique_ptr<Background> JobHandle::StartFetch(
    JobSink* sink, const FetchOptions& options,
    std::function<void(const absl::StatusOr<int64_t>&)> on_end) const {
  return std::make_unique<Background>(
      [job = *this, sink, options,
       on_end = std::move(on_end)](const std::atomic<bool>* cancel) {
        FetchOptions limited = options;
        limited.call.cancel = cancel;
        on_end(job.Fetch(sink, limited));
      });
}

absl::StatusOr<JobStatus> JobHandle::Cancel(const std::string& reason,
                                            const CallOptions& options) const {
  v1::CancelJobRequest request;
  request.set_job_id(id_);
  request.set_reason(reason);
  v1::CancelJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection_->Call(
      &Stub::PrepareAsyncCancelJob, request, &response, LimitsOf(options)));
  return StatusOf(response.job());
}

absl::StatusOr<JobStatus> JobHandle::Retry(const CallOptions& options) const {
  v1::RetryJobRequest request;
  request.set_job_id(id_);
  v1::RetryJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection_->Call(
      &Stub::PrepareAsyncRetryJob, request, &response, LimitsOf(options)));
  return StatusOf(response.job());
}

absl::Status JobHandle::Forget(const CallOptions& options) const {
  v1::ForgetJobRequest request;
  request.set_job_id(id_);
  v1::ForgetJobResponse response;
  return connection_->Call(&Stub::PrepareAsyncForgetJob, request, &response,
                           LimitsOf(options));
}

absl::StatusOr<Explanation> JobHandle::Explain(
    std::optional<int64_t> task, const CallOptions& options) const {
  v1::ExplainRequest request;
  request.set_job_id(id_);
  if (task.has_value()) request.set_task(*task);
  v1::ExplainResponse response;
  INTERNODE_RETURN_IF_ERROR(connection_->Call(
      &Stub::PrepareAsyncExplain, request, &response, LimitsOf(options)));
  return Explanation{{response.reasons().begin(), response.reasons().end()},
                     {response.history().begin(), response.history().end()}};
}

absl::StatusOr<TaskFailures> JobHandle::Failures(
    int64_t limit, int64_t from_task, const CallOptions& options) const {
  v1::ListFailuresRequest request;
  request.set_job_id(id_);
  request.set_limit(limit);
  request.set_from_task(from_task);
  v1::ListFailuresResponse response;
  INTERNODE_RETURN_IF_ERROR(connection_->Call(
      &Stub::PrepareAsyncListFailures, request, &response, LimitsOf(options)));
  TaskFailures failures;
  failures.total = response.total();
  failures.failures.reserve(static_cast<size_t>(response.failures_size()));
  for (const v1::TaskFailure& failure : response.failures()) {
    failures.failures.push_back(client::FailureOf(failure));
  }
  return failures;
}

absl::StatusOr<JobHandle> Submit(Executor* executor, const Job& job,
                                 const JobPolicy& policy,
                                 const CallOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(
      std::shared_ptr<Connection> connection,
      client::ConnectionOf(executor, "a job that can be left alone"));
  INTERNODE_ASSIGN_OR_RETURN(
      std::string id,
      client::SubmitPlan(connection.get(), job, policy, LimitsOf(options)));
  return JobHandle(std::move(connection), std::move(id), job);
}

absl::StatusOr<JobHandle> Submit(Executor* executor, const JobOptions& job,
                                 const JobPolicy& policy,
                                 const CallOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const Job planned, executor->OpenJob(job));
  return Submit(executor, planned, policy, options);
}

absl::StatusOr<JobHandle> FindJob(Executor* executor, const std::string& id,
                                  const CallOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<Connection> connection,
                             client::ConnectionOf(executor, "finding a job"));
  JobHandle handle(std::move(connection), id, std::nullopt);
  INTERNODE_RETURN_IF_ERROR(handle.Status(options).status());
  return handle;
}

absl::StatusOr<std::vector<JobStatus>> ListJobs(Executor* executor,
                                                const CallOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                             client::ConnectionOf(executor, "listing jobs"));
  v1::ListJobsResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(&Stub::PrepareAsyncListJobs,
                                             v1::ListJobsRequest(), &response,
                                             LimitsOf(options)));
  std::vector<JobStatus> jobs;
  jobs.reserve(static_cast<size_t>(response.jobs_size()));
  for (const v1::JobInfo& info : response.jobs()) {
    jobs.push_back(StatusOf(info));
  }
  return jobs;
}

}  // namespace internode
