#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "scheduler/core/core.h"

// What clients and the journal tell about jobs.

namespace internode::scheduler::core {
namespace {

// How many runs of failed tasks are kept with their messages.
constexpr int64_t kMostFailuresKept = 10'000;

// What a task is charged while none was measured.
constexpr Nanos kUnmeasuredCharge = 100 * kMillisecond;

Interval Clip(Interval tasks, int64_t num_tasks) {
  return {std::max<int64_t>(0, tasks.begin), std::min(tasks.end, num_tasks)};
}

}  // namespace

JobRecord* Core::FindJob(JobId job) const {
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? nullptr : it->second.get();
}

JobRecord* Core::AddJob(const JobSubmitted& submission) {
  if (submission.num_tasks < 0 || submission.num_tasks > kMostTasks) {
    actions_->push_back(RejectJob{
        submission.job,
        absl::StrCat("job has ", submission.num_tasks,
                     " tasks; a job has 0 to ", kMostTasks, " tasks")});
    return nullptr;
  }
  if (submission.job == JobId() || jobs_.contains(submission.job)) {
    actions_->push_back(RejectJob{
        submission.job,
        absl::StrCat("job id ", submission.job.value, " is 0 or in use")});
    return nullptr;
  }
  auto& job = jobs_[submission.job];
  job = std::make_unique<JobRecord>(submission.job, submission.num_tasks);
  job->priority =
      std::clamp(submission.priority, -kMostPriority, kMostPriority);
  job->policies = submission.policies;
  job->policies.tasks_together = std::clamp<int64_t>(
      job->policies.tasks_together, 1, std::max<int64_t>(1, job->num_tasks));
  return job.get();
}

void Core::On(const JobSubmitted& event) {
  JobRecord* const job = AddJob(event);
  if (job == nullptr) return;
  actions_->push_back(PersistJob{job->id, job->state, ""});
  newcomer_ = job->id;
  EndIfDue(job);
  Requeue(job);
}

void Core::On(const JobRecovered& event) {
  JobRecord* const job = AddJob(event.submission);
  if (job == nullptr) return;
  for (const Interval& any : event.done) {
    const Interval tasks = Clip(any, job->num_tasks);
    job->done.Add(tasks);
    job->pending.Remove(tasks);
  }
  for (const TaskFailure& failure : event.failures) {
    const Interval tasks = Clip(failure.tasks, job->num_tasks);
    for (const Interval& run : job->pending.Intersection(tasks).intervals()) {
      job->pending.Remove(run);
      job->failed.Add(run);
      TaskFailure part = failure;
      part.tasks = run;
      job->failures.Assign(run, std::move(part));
    }
  }
  // That a job is complete is only what its frames say.
  const bool stopped =
      event.state == JobState::kCancelled || event.state == JobState::kFailed;
  if (stopped || (IsTerminal(event.state) && job->ended())) {
    job->state = event.state;
    return;
  }
  if (job->pending.size() < job->num_tasks) job->state = JobState::kRunning;
  EndIfDue(job);
  Requeue(job);
}

void Core::On(const JobCancelled& event) {
  JobRecord* const job = FindJob(event.job);
  if (job == nullptr || !job->active()) return;
  Stop(job, JobState::kCancelled, "");
}

void Core::On(const JobAborted& event) {
  JobRecord* const job = FindJob(event.job);
  if (job == nullptr || !job->active()) return;
  Stop(job, JobState::kFailed, event.message);
}

void Core::On(const JobForgotten& event) {
  JobRecord* const job = FindJob(event.job);
  if (job == nullptr) return;
  job->state = JobState::kCancelled;
  RevokeAll(job);
  Requeue(job);
  for (auto& [id, frame] : committing_) {
    if (frame.job == event.job) frame.job = JobId();
  }
  actions_->push_back(EraseJob{job->id});
  jobs_.erase(event.job);
}

void Core::On(const TasksRetried& event) {
  JobRecord* const job = FindJob(event.job);
  if (job == nullptr || (job->state != JobState::kCompletedWithFailures &&
                         job->state != JobState::kFailed)) {
    return;
  }
  job->state = JobState::kRunning;
  job->message.clear();
  const std::vector<Interval> failed = job->failed.intervals();
  job->failed.Clear();
  job->failures = {};
  for (const Interval& run : failed) job->Return(run);
  actions_->push_back(PersistRetry{job->id});
  actions_->push_back(NotifyJob{job->id, job->state});
  EndIfDue(job);
  Requeue(job);
}

void Core::RevokeAll(JobRecord* job) {
  absl::btree_map<LeaseId, Lease*> leases;
  for (const auto& entry : job->holders.all()) {
    leases.emplace(entry.value->id, entry.value);
  }
  for (const auto& entry : job->copies.all()) {
    leases.emplace(entry.value->id, entry.value);
  }
  for (const auto& [id, lease] : leases) {
    Revoke(*lease, RunsOf(lease->remaining));
    Touch(lease->worker);
    Drop(lease);
  }
}

void Core::Stop(JobRecord* job, JobState state, absl::string_view message) {
  job->state = state;
  job->message = std::string(message.substr(0, kMostMessageBytes));
  RevokeAll(job);
  Requeue(job);
  actions_->push_back(PersistJob{job->id, state, job->message});
  actions_->push_back(NotifyJob{job->id, state});
}

void Core::EndIfDue(JobRecord* job) {
  if (!job->active()) return;
  const int64_t most = job->policies.max_failed_tasks;
  if (most >= 0 && job->failed.size() > most) {
    Stop(job, JobState::kFailed,
         absl::StrCat(job->failed.size(), " tasks failed; the job allows ",
                      most));
    return;
  }
  if (!job->ended()) return;
  Stop(job,
       job->failed.empty() ? JobState::kCompleted
                           : JobState::kCompletedWithFailures,
       "");
}

void Core::Fail(JobRecord* job, TaskFailure failure) {
  failure.message.resize(std::min(failure.message.size(), kMostMessageBytes));
  job->failed.Add(failure.tasks);
  job->troubles.Erase(failure.tasks);
  if (job->failures.num_intervals() < kMostFailuresKept) {
    job->failures.Assign(failure.tasks, failure);
  }
  actions_->push_back(PersistFailure{job->id, std::move(failure)});
}

Nanos Core::ChargeFor(const JobRecord& job) const {
  return job.duration.measured() ? job.duration.mean() : kUnmeasuredCharge;
}

void Core::Charge(JobRecord* job, Nanos busy) {
  if (busy > 0) {
    int64_t& served = served_[job->priority];
    served = std::max(served, job->pass);
  }
  const Nanos charge = busy + job->owed;
  job->owed = 0;
  job->pass = std::clamp<int64_t>(job->pass + charge / 1000, 0, kNever);
}

void Core::Requeue(JobRecord* job) {
  const bool queued = job->active() && job->waiting() > 0;
  if (queued && !job->queued_pass.has_value()) {
    // It does not make up for the time when it had nothing to run.
    const auto served = served_.find(job->priority);
    if (served != served_.end()) {
      job->pass = std::max(job->pass, served->second);
    }
  }
  if (job->queued_pass.has_value() &&
      (!queued || *job->queued_pass != job->pass)) {
    queue_.erase({-job->priority, *job->queued_pass, job->id});
    job->queued_pass.reset();
  }
  if (queued && !job->queued_pass.has_value()) {
    queue_.emplace(QueueKey{-job->priority, job->pass, job->id}, job);
    job->queued_pass = job->pass;
  }
  if (job->active() && !job->suspects.empty()) {
    suspect_jobs_.insert(job->id);
  } else {
    suspect_jobs_.erase(job->id);
  }
}

}  // namespace internode::scheduler::core
