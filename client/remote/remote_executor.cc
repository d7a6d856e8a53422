#include "client/remote/remote_executor.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "client/job_data.h"
#include "client/remote/fetch.h"
#include "client/remote/wire.h"
#include "rpc/job_proto.h"

namespace internode::client {
namespace {

constexpr int64_t kMaxSelections = 1'000'000;

// Gives the chunks of a part of `job` the numbers that they have in it.
class PartSink : public JobSink {
 public:
  PartSink(const Job& job, int64_t first_task, JobSink* sink)
      : job_(job), first_task_(first_task), sink_(sink) {}

  absl::Status OnChunk(const ChunkResult& part) override {
    return sink_->OnChunk(ChunkResult(job_, first_task_ + part.chunk(),
                                      part.result(), part.error()));
  }

 private:
  const Job& job_;
  const int64_t first_task_;
  JobSink* const sink_;
};

// The tasks [begin, end) of `job` as a job of their own.
absl::StatusOr<Job> PartOf(Connection* connection, const Job& job,
                           int64_t begin, int64_t end,
                           const CallLimits& limits) {
  if (end - begin > kMaxSelections) {
    return absl::InvalidArgumentError(
        absl::StrCat("a part of a job has at most ", kMaxSelections,
                     " chunks on executor ", "distributed, and this one ",
                     end - begin, "; make more parts, or larger chunks"));
  }
  const core::PlannedJob& whole = job.state().planned;
  core::JobSpec spec = whole.spec;
  spec.chunks = core::AutoChunks();
  spec.select.clear();
  spec.selections.clear();
  spec.selections.reserve(static_cast<size_t>(end - begin));
  for (int64_t i = begin; i < end; ++i) {
    spec.selections.push_back(whole.Task(i));
  }
  v1::PlanJobRequest request;
  *request.mutable_spec() = rpc::ToProto(spec);
  v1::PlanJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Connection::Stub::PrepareAsyncPlanJob, request, &response, limits));
  INTERNODE_ASSIGN_OR_RETURN(core::PlannedJob planned,
                             rpc::FromProto(response.plan()));
  return Job(DataOf(std::move(planned)));
}

// Ends and deletes a job that nobody else knows of.
void Discard(Connection* connection, const std::string& id) {
  CallLimits limits;
  limits.deadline = absl::Now() + absl::Seconds(5);
  v1::CancelJobRequest cancel;
  cancel.set_job_id(id);
  cancel.set_reason("its client gave it up");
  v1::CancelJobResponse cancelled;
  absl::Status status = connection->Call(
      &Connection::Stub::PrepareAsyncCancelJob, cancel, &cancelled, limits);
  if (!status.ok()) {
    LogDebug("cannot cancel job ", id, ": ", status.message());
  }
  v1::ForgetJobRequest forget;
  forget.set_job_id(id);
  v1::ForgetJobResponse forgotten;
  status = connection->Call(&Connection::Stub::PrepareAsyncForgetJob, forget,
                            &forgotten, limits);
  if (!status.ok()) {
    LogDebug("cannot forget job ", id, ": ", status.message());
  }
}

}  // namespace

RemoteExecutor::~RemoteExecutor() {
  const absl::Status status = Close(std::chrono::seconds(10));
  if (!status.ok()) LogDebug(status.message());
}

absl::StatusOr<Job> RemoteExecutor::OpenJob(const JobOptions& options) {
  for (const std::string& folder : options.function_path) {
    if (std::find(parts_.function_path.begin(), parts_.function_path.end(),
                  folder) != parts_.function_path.end()) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "the function path '", folder, "' is of this process, and the job ",
        "runs on workers; give it to internode-worker --function-path, or to ",
        "SetupExecutor for a local cluster"));
  }
  TellIfWorkersLack(*this);
  return PlanRemotely(parts_.connection.get(), options, {});
}

absl::Status RemoteExecutor::RunWhole(const Job& job, const CallLimits& limits,
                                      JobSink* sink) {
  Connection* const connection = parts_.connection.get();
  INTERNODE_ASSIGN_OR_RETURN(const std::string id,
                             SubmitPlan(connection, job, {}, limits));
  FetchRange range;
  range.end_task = job.num_chunks();
  const absl::StatusOr<int64_t> end =
      FetchChunks(connection, id, job, range, limits, sink);
  Discard(connection, id);
  return end.status();
}

absl::Status RemoteExecutor::RunJob(const Job& job, const RunOptions& options,
                                    JobSink* sink) {
  CallLimits limits;
  limits.cancel = options.cancel;
  const int64_t tasks = job.num_chunks();
  const int64_t begin = options.first_task;
  const int64_t end = options.end_task == -1 ? tasks : options.end_task;
  if (begin < 0 || begin > end || end > tasks) {
    return absl::InvalidArgumentError(absl::StrCat("tasks ", begin, " to ", end,
                                                   " are not within the ",
                                                   tasks, " that there are"));
  }
  if (begin == end) return absl::OkStatus();
  if (begin == 0 && end == tasks) return RunWhole(job, limits, sink);
  INTERNODE_ASSIGN_OR_RETURN(
      const Job part, PartOf(parts_.connection.get(), job, begin, end, limits));
  PartSink part_sink(job, begin, sink);
  return RunWhole(part, limits, &part_sink);
}

absl::Status RemoteExecutor::RunTasks(TaskList*, const RunOptions&) {
  return absl::UnimplementedError(absl::StrCat(
      "executor ", ExecutorKindName(kind()),
      " cannot run a callable of this program, whose code the workers do not ",
      "have; use MapCollect1d with the name of a registered function ",
      "(JobOptions), or executor threads"));
}

absl::Status RemoteExecutor::Close(std::chrono::milliseconds timeout) {
  parts_.connection->Close();
  if (parts_.cluster == nullptr) return absl::OkStatus();
  return parts_.cluster->Stop(absl::FromChrono(timeout));
}

std::vector<int64_t> RemoteExecutor::pids() const {
  return parts_.cluster == nullptr ? std::vector<int64_t>()
                                   : parts_.cluster->pids();
}

}  // namespace internode::client
