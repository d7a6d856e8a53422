#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "rpc/peer.h"
#include "scheduler/engine/engine.h"
#include "scheduler/journal/job_id.h"

// What clients ask about jobs, and of them.

namespace internode::scheduler {
namespace {

// Who watches is told of changes this often at the most.
constexpr absl::Duration kWatchInterval = absl::Milliseconds(100);
constexpr int64_t kUsualFailures = 1000;
constexpr int64_t kMostFailures = 10'000;
constexpr size_t kMostReasonBytes = 1024;

// Why a job that had ended before the scheduler was started cannot be changed.
absl::Status BeingRead(const JobEntry& entry) {
  if (!entry.unreadable.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the results of job ", FormatJobId(entry.id),
                     " cannot be read: ", entry.unreadable.message()));
  }
  return absl::UnavailableError(
      absl::StrCat("the results of job ", FormatJobId(entry.id),
                   " are being read after a restart; try again"));
}

int64_t NanosOf(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : absl::ToUnixNanos(time);
}

v1::JobState ToProto(core::JobState state) {
  switch (state) {
    case core::JobState::kQueued:
      return v1::JOB_STATE_QUEUED;
    case core::JobState::kRunning:
      return v1::JOB_STATE_RUNNING;
    case core::JobState::kCompleted:
      return v1::JOB_STATE_COMPLETED;
    case core::JobState::kCompletedWithFailures:
      return v1::JOB_STATE_COMPLETED_WITH_FAILURES;
    case core::JobState::kFailed:
      return v1::JOB_STATE_FAILED;
    case core::JobState::kCancelled:
      return v1::JOB_STATE_CANCELLED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

}  // namespace

JobEntry* Engine::FindEntry(core::JobId job) {
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? nullptr : it->second.get();
}

absl::StatusOr<JobEntry*> Engine::FindJob(absl::string_view job_id) {
  INTERNODE_ASSIGN_OR_RETURN(const core::JobId job, ParseJobId(job_id));
  JobEntry* const entry = FindEntry(job);
  if (entry == nullptr || !entry->durable) {
    return absl::NotFoundError(
        absl::StrCat("there is no job '", job_id,
                     "'; `internode job list` prints those that are"));
  }
  return entry;
}

absl::StatusOr<JobEntry*> Engine::FindToChange(absl::string_view job_id) {
  if (stopping_) return absl::UnavailableError(kStopping);
  return FindJob(job_id);
}

v1::JobInfo Engine::InfoOf(const JobEntry& entry) const {
  v1::JobInfo info;
  info.set_id(FormatJobId(entry.id));
  info.set_name(entry.job.name);
  info.set_owner(entry.job.owner);
  info.set_function(entry.job.plan->spec().function());
  info.set_cube_path(entry.job.plan->spec().cube_path());
  info.set_priority(entry.job.priority);
  info.set_tasks(entry.job.num_tasks);
  info.set_pixels(entry.job.num_pixels);
  info.set_submitted_ns(NanosOf(entry.submitted));
  info.set_started_ns(NanosOf(entry.started));
  info.set_ended_ns(NanosOf(entry.ended));
  if (const auto spool = spool_->Find(entry.id.value); spool != nullptr) {
    info.set_spool_bytes(spool->disk_bytes());
  }
  info.set_state(ToProto(StateOf(entry)));
  info.set_tasks_done(entry.stored_done);
  info.set_tasks_failed(entry.stored_failed);
  info.set_message(entry.reason);
  const std::optional<core::JobInfo> known = core_.Job(entry.id);
  if (!known.has_value()) return info;
  info.set_tasks_done(known->done);
  info.set_tasks_failed(known->failed);
  info.set_tasks_leased(known->leased);
  info.set_task_ns(absl::ToInt64Nanoseconds(known->task_duration));
  info.set_message(MessageOf(entry, *known));
  return info;
}

core::JobState Engine::StateOf(const JobEntry& entry) const {
  const std::optional<core::JobInfo> known = core_.Job(entry.id);
  return known.has_value() ? known->state : entry.stored_state;
}

std::string Engine::MessageOf(const JobEntry& entry,
                              const core::JobInfo& info) const {
  switch (info.state) {
    case core::JobState::kQueued:
    case core::JobState::kRunning:
      if (!blocked_.empty()) return blocked_;
      return num_connected_ == 0 ? "no worker is connected" : "";
    case core::JobState::kFailed:
    case core::JobState::kCancelled:
      return info.message.empty() ? entry.reason : info.message;
    default:
      return "";
  }
}

std::string Engine::SummaryOf(const JobEntry& entry) const {
  const std::optional<core::JobInfo> info = core_.Job(entry.id);
  if (!info.has_value()) return "";
  std::string text = absl::StrCat(info->done, " of ", info->num_tasks,
                                  " tasks are done, ", info->failed, " failed");
  switch (info->state) {
    case core::JobState::kCancelled:
      return absl::StrCat("cancelled, ", text);
    case core::JobState::kFailed:
      return absl::StrCat(info->message, ", ", text);
    default:
      return text;
  }
}

// ---- submission ----

void Engine::SubmitJob(SubmittedJob job, Reply<v1::SubmitJobResponse> reply) {
  strand_->Post(
      [this, job = std::move(job), reply = std::move(reply)]() mutable {
        Submit(std::move(job), std::move(reply));
      });
}

void Engine::Submit(SubmittedJob job, Reply<v1::SubmitJobResponse> reply) {
  if (const auto known = jobs_by_request_.find(job.request_id);
      known != jobs_by_request_.end()) {
    JobEntry* const entry = FindEntry(known->second);
    if (!entry->durable) {
      entry->submitters.push_back(std::move(reply));
      return;
    }
    v1::SubmitJobResponse response;
    response.set_job_id(FormatJobId(entry->id));
    reply(std::move(response));
    return;
  }
  if (stopping_) {
    reply(absl::UnavailableError(kStopping));
    return;
  }
  if (!blocked_.empty()) {
    reply(absl::ResourceExhaustedError(
        absl::StrCat("no job is accepted now: ", blocked_)));
    return;
  }
  if (const absl::Status status = CheckLimits(job); !status.ok()) {
    reply(status);
    return;
  }
  auto added = std::make_unique<JobEntry>();
  JobEntry* const entry = added.get();
  entry->id = journal_->NextJobId();
  entry->job = std::move(job);
  entry->job.policies.task_timeout =
      std::min(entry->job.policies.task_timeout, options_.task_timeout);
  entry->submitted = Now();
  entry->submitters.push_back(std::move(reply));
  ++num_active_jobs_;
  ++counters_.jobs_submitted;
  jobs_by_request_.emplace(entry->job.request_id, entry->id);
  jobs_.emplace(entry->id, std::move(added));
  writer_->Create(entry->id);
  Handle(core::JobSubmitted{.job = entry->id,
                            .num_tasks = entry->job.num_tasks,
                            .priority = entry->job.priority,
                            .policies = entry->job.policies});
}

absl::Status Engine::CheckLimits(const SubmittedJob& job) const {
  if (num_active_jobs_ >= options_.most_active_jobs) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", num_active_jobs_,
                     " jobs that have not ended; no more are taken"));
  }
  if (job.num_tasks > options_.most_tasks) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the job has ", job.num_tasks, " tasks; this scheduler takes ",
        options_.most_tasks, " (--max-tasks): choose larger chunks"));
  }
  // By going through all of them: there are few, or few submissions a second.
  int64_t active = 0;
  int64_t bytes = 0;
  for (const auto& [id, entry] : jobs_) {
    if (entry->job.owner != job.owner) continue;
    if (!entry->counted_out) ++active;
    if (options_.most_spool_bytes_of_owner < 0) continue;
    if (const auto spool = spool_->Find(id.value)) bytes += spool->disk_bytes();
  }
  if (active >= options_.most_active_jobs_of_owner) {
    return absl::ResourceExhaustedError(
        absl::StrCat("'", job.owner, "' has ", active,
                     " jobs that have not ended; this scheduler takes ",
                     options_.most_active_jobs_of_owner, " (--max-jobs)"));
  }
  if (options_.most_spool_bytes_of_owner >= 0 &&
      bytes >= options_.most_spool_bytes_of_owner) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the results of the jobs of '", job.owner, "' take ",
        FormatBytes(bytes), "; this scheduler keeps ",
        FormatBytes(options_.most_spool_bytes_of_owner),
        " (--max-client-spool): forget some with internode job forget"));
  }
  return absl::OkStatus();
}

void Engine::CheckSpoolOf(core::JobId job) {
  if (options_.most_spool_bytes_of_job < 0) return;
  const auto spool = spool_->Find(job.value);
  const JobEntry* const entry = FindEntry(job);
  if (spool == nullptr || entry == nullptr ||
      core::IsTerminal(StateOf(*entry)) ||
      spool->disk_bytes() <= options_.most_spool_bytes_of_job) {
    return;
  }
  Handle(core::JobAborted{
      job, absl::StrCat("its results take more than ",
                        FormatBytes(options_.most_spool_bytes_of_job),
                        " (--max-job-spool)")});
}

void Engine::EraseEntry(core::JobId job) {
  const auto it = jobs_.find(job);
  if (it == jobs_.end()) return;
  JobEntry* const entry = it->second.get();
  const absl::Status status = absl::NotFoundError(
      absl::StrCat("job ", FormatJobId(job), " was forgotten"));
  EndWatches(entry, status);
  for (JobEntry::Waiter& waiter : entry->waiters) {
    awaited_.erase(waiter.id);
    waiter.reply(status);
  }
  TellJobEnded(job);
  CountOut(entry);
  jobs_by_request_.erase(entry->job.request_id);
  changed_.erase(job);
  jobs_.erase(it);
}

// ---- questions ----

void Engine::GetJob(const v1::GetJobRequest& request,
                    Reply<v1::GetJobResponse> reply) {
  strand_->Post([this, id = request.job_id(), with_plan = request.with_plan(),
                 reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindJob(id);
    if (!entry.ok()) return reply(entry.status());
    v1::GetJobResponse response;
    *response.mutable_job() = InfoOf(**entry);
    if (with_plan) *response.mutable_plan() = *(*entry)->job.plan;
    reply(std::move(response));
  });
}

void Engine::ListJobs(Reply<v1::ListJobsResponse> reply) {
  strand_->Post([this, reply = std::move(reply)]() mutable {
    v1::ListJobsResponse response;
    for (const auto& [id, entry] : jobs_) {
      if (entry->durable) *response.add_jobs() = InfoOf(*entry);
    }
    reply(std::move(response));
  });
}

v1::TaskFailure Engine::FailureOf(const JobEntry& entry, int64_t task,
                                  const core::TaskFailure& failure) const {
  v1::TaskFailure result;
  result.set_task(task);
  result.set_location(entry.job.LocationOf(task));
  result.set_message(failure.message);
  result.set_poisonous(failure.kind == core::TaskFailure::Kind::kPoisonous);
  for (const core::Happening& happening : failure.history) {
    result.add_history(absl::StrCat(
        absl::FormatTime(absl::RFC3339_sec, happening.when,
                         absl::UTCTimeZone()),
        " ", WorkerName(happening.worker), ": ", happening.message));
  }
  // What ended it is the last of a poisonous task's history, but not of
  // another's.
  result.set_attempts(static_cast<uint32_t>(failure.history.size()) +
                      (result.poisonous() ? 0 : 1));
  return result;
}

void Engine::ListFailures(const v1::ListFailuresRequest& request,
                          Reply<v1::ListFailuresResponse> reply) {
  strand_->Post([this, request, reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindJob(request.job_id());
    if (!entry.ok()) return reply(entry.status());
    const int64_t limit =
        request.limit() == 0 ? kUsualFailures : request.limit();
    if (limit < 1 || limit > kMostFailures || request.from_task() < 0) {
      return reply(absl::InvalidArgumentError(absl::StrCat(
          "limit is 1 to ", kMostFailures, ", and from_task at least 0")));
    }
    const absl::StatusOr<std::vector<core::TaskFailure>> failures =
        journal_->Failures((*entry)->id, request.from_task(), limit);
    if (!failures.ok()) return reply(failures.status());
    v1::ListFailuresResponse response;
    for (const core::TaskFailure& failure : *failures) {
      for (int64_t task = std::max(failure.tasks.begin, request.from_task());
           task < failure.tasks.end && response.failures_size() < limit;
           ++task) {
        *response.add_failures() = FailureOf(**entry, task, failure);
      }
    }
    const internode::core::IntervalSet* failed = core_.Failed((*entry)->id);
    response.set_total(failed == nullptr ? (*entry)->stored_failed
                                         : failed->size());
    reply(std::move(response));
  });
}

void Engine::Explain(const v1::ExplainRequest& request,
                     Reply<v1::ExplainResponse> reply) {
  strand_->Post([this, request, reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindJob(request.job_id());
    if (!entry.ok()) return reply(entry.status());
    if (request.has_task() &&
        (request.task() < 0 || request.task() >= (*entry)->job.num_tasks)) {
      return reply(absl::InvalidArgumentError(absl::StrCat(
          "job ", FormatJobId((*entry)->id), " has tasks 0 to ",
          (*entry)->job.num_tasks - 1, "; there is no task ", request.task())));
    }
    const core::Explanation why =
        request.has_task() ? core_.Explain((*entry)->id, request.task())
                           : core_.Explain((*entry)->id);
    v1::ExplainResponse response;
    if ((*entry)->recovering) {
      response.add_reasons(std::string(BeingRead(**entry).message()));
      return reply(std::move(response));
    }
    response.add_reasons(why.text);
    if (!(*entry)->reason.empty()) response.add_reasons((*entry)->reason);
    for (const core::Happening& happening : why.history) {
      response.add_history(absl::StrCat(
          absl::FormatTime(absl::RFC3339_sec, happening.when,
                           absl::UTCTimeZone()),
          " ", WorkerName(happening.worker), ": ", happening.message));
    }
    reply(std::move(response));
  });
}

void Engine::GetCluster(Reply<v1::GetClusterResponse> reply) {
  strand_->Post([this, reply = std::move(reply)]() mutable {
    v1::GetClusterResponse response;
    *response.mutable_scheduler() = rpc::LocalPeer();
    response.set_address(address_);
    response.set_dashboard(dashboard_);
    int64_t memory = 0;
    bool limited = true;
    for (const auto& [id, worker] : workers_by_id_) {
      if (worker->control == 0 || worker->supervisor()) continue;
      response.set_workers(response.workers() + 1);
      response.set_cores(response.cores() + worker->slots);
      memory += worker->memory_limit_bytes;
      limited = limited && worker->memory_limit_bytes > 0;
    }
    response.set_memory_bytes(limited ? memory : 0);
    response.set_started_ns(absl::ToUnixNanos(started_));
    response.set_not_ready(NotReady());
    reply(std::move(response));
  });
}

// ---- commands ----

void Engine::CancelJob(const v1::CancelJobRequest& request,
                       Reply<v1::CancelJobResponse> reply) {
  strand_->Post([this, request, reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindToChange(request.job_id());
    if (!entry.ok()) return reply(entry.status());
    if (!(*entry)->counted_out && (*entry)->reason.empty()) {
      (*entry)->reason = request.reason().substr(0, kMostReasonBytes);
    }
    Handle(core::JobCancelled{(*entry)->id});
    ReplyWhenDurable((*entry)->id, std::move(reply));
  });
}

void Engine::RetryJob(const v1::RetryJobRequest& request,
                      Reply<v1::RetryJobResponse> reply) {
  strand_->Post([this, request, reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindToChange(request.job_id());
    if (!entry.ok()) return reply(entry.status());
    const std::optional<core::JobInfo> info = core_.Job((*entry)->id);
    if (!info.has_value()) return reply(BeingRead(**entry));
    if (info->state != core::JobState::kCompletedWithFailures &&
        info->state != core::JobState::kFailed) {
      return reply(absl::FailedPreconditionError(
          absl::StrCat("job ", FormatJobId((*entry)->id),
                       " has no failed tasks to retry, or has not ended")));
    }
    Handle(core::TasksRetried{(*entry)->id});
    ReplyWhenDurable((*entry)->id, std::move(reply));
  });
}

void Engine::ForgetJob(const v1::ForgetJobRequest& request,
                       Reply<v1::ForgetJobResponse> reply) {
  strand_->Post([this, request, reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> entry = FindToChange(request.job_id());
    if (!entry.ok()) return reply(entry.status());
    const std::optional<core::JobInfo> info = core_.Job((*entry)->id);
    if (!info.has_value() && (*entry)->unreadable.ok()) {
      return reply(BeingRead(**entry));
    }
    if (info.has_value() && !core::IsTerminal(info->state)) {
      return reply(absl::FailedPreconditionError(
          absl::StrCat("job ", FormatJobId((*entry)->id),
                       " has not ended; cancel it first")));
    }
    if (info.has_value()) {
      Handle(core::JobForgotten{(*entry)->id});
    } else {
      // The core does not know it.
      actions_.push_back(core::EraseJob{(*entry)->id});
    }
    after_commit_.push_back(
        [reply = std::move(reply)](const absl::Status& status) mutable {
          if (!status.ok()) return reply(status);
          reply(v1::ForgetJobResponse());
        });
  });
}

template <typename Response>
void Engine::ReplyWhenDurable(core::JobId job, Reply<Response> reply) {
  after_commit_.push_back([this, job, reply = std::move(reply)](
                              const absl::Status& status) mutable {
    if (!status.ok()) return reply(status);
    const JobEntry* const entry = FindEntry(job);
    if (entry == nullptr) {
      return reply(absl::NotFoundError("the job was forgotten"));
    }
    Response response;
    *response.mutable_job() = InfoOf(*entry);
    reply(std::move(response));
  });
}

// ---- watching ----

void Engine::WatchJob(absl::string_view job_id, uint64_t watch,
                      std::shared_ptr<JobWatcher> watcher) {
  strand_->Post(
      [this, id = std::string(job_id), watch, watcher = std::move(watcher)] {
        const absl::StatusOr<JobEntry*> entry = FindJob(id);
        if (!entry.ok()) return watcher->End(entry.status());
        if (closed_) return watcher->End(absl::UnavailableError(kStopping));
        (*entry)->watches[watch] = {.watcher = watcher, .next = Now()};
        watched_[watch] = (*entry)->id;
        changed_.insert((*entry)->id);
      });
}

void Engine::StopWatching(uint64_t watch) {
  strand_->Post([this, watch] {
    const auto it = watched_.find(watch);
    if (it == watched_.end()) return;
    if (JobEntry* const entry = FindEntry(it->second)) {
      entry->watches.erase(watch);
    }
    watched_.erase(it);
  });
}

void Engine::MarkChanged(core::JobId job) {
  JobEntry* const entry = FindEntry(job);
  if (entry == nullptr) return;
  if (entry->watches.empty() && entry->waiters.empty()) return;
  for (auto& [id, watch] : entry->watches) watch.changed = true;
  changed_.insert(job);
}

void Engine::UpdateChanged() {
  std::set<core::JobId> changed;
  changed.swap(changed_);
  next_watch_ = absl::InfiniteFuture();
  for (const core::JobId job : changed) {
    JobEntry* const entry = FindEntry(job);
    if (entry == nullptr || !entry->durable) continue;
    AnswerWaiters(entry);
    UpdateWatchers(entry);
  }
}

void Engine::UpdateWatchers(JobEntry* entry) {
  if (entry->watches.empty()) return;
  const bool ended = core::IsTerminal(StateOf(*entry));
  const v1::JobInfo info = InfoOf(*entry);
  for (auto& [id, watch] : entry->watches) {
    if (!watch.changed) continue;
    if (watch.next > now_ && !ended) {
      next_watch_ = std::min(next_watch_, watch.next);
      changed_.insert(entry->id);
      continue;
    }
    watch.changed = false;
    watch.next = now_ + kWatchInterval;
    watch.watcher->Update(info);
  }
  if (ended) EndWatches(entry, absl::OkStatus());
}

void Engine::EndWatches(JobEntry* entry, const absl::Status& status) {
  for (auto& [id, watch] : entry->watches) {
    watch.watcher->End(status);
    watched_.erase(id);
  }
  entry->watches.clear();
}

}  // namespace internode::scheduler
