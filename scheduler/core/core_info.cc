#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "scheduler/core/core.h"

// Snapshots, and answers to "why".

namespace internode::scheduler::core {

JobInfo Core::Describe(const JobRecord& job) const {
  JobInfo info;
  info.job = job.id;
  info.state = job.state;
  info.priority = job.priority;
  info.policies = job.policies;
  info.message = job.message;
  info.num_tasks = job.num_tasks;
  info.pending = job.pending.size();
  info.retrying = job.retry.size();
  info.suspect = job.suspects.size();
  info.leased = job.leased;
  info.committing = job.committing.size();
  info.done = job.done.size();
  info.failed = job.failed.size();
  if (job.duration.measured()) {
    info.task_duration = absl::Nanoseconds(job.duration.mean());
  }
  return info;
}

WorkerInfo Core::Describe(const WorkerRecord& worker) const {
  WorkerInfo info;
  info.worker = worker.id;
  info.epoch = worker.epoch;
  info.slots = static_cast<int>(worker.slots);
  info.paused = worker.paused;
  info.draining = worker.draining;
  info.alone = worker.alone;
  info.num_leases = static_cast<int64_t>(worker.leases.size());
  info.num_tasks = worker.num_tasks;
  info.queued = absl::Nanoseconds(worker.Queued());
  info.speed_permille = 1000 * Slowness::kUnit / worker.slowness.units();
  info.last_seen = FromNanos(worker.last_seen);
  info.running = worker.running;
  return info;
}

std::optional<JobInfo> Core::Job(JobId job) const {
  const JobRecord* const found = FindJob(job);
  if (found == nullptr) return std::nullopt;
  return Describe(*found);
}

std::vector<JobInfo> Core::Jobs() const {
  std::vector<JobInfo> all;
  for (const auto& [id, job] : jobs_) all.push_back(Describe(*job));
  return all;
}

const IntervalSet* Core::Done(JobId job) const {
  const JobRecord* const found = FindJob(job);
  return found == nullptr ? nullptr : &found->done;
}

const IntervalSet* Core::Failed(JobId job) const {
  const JobRecord* const found = FindJob(job);
  return found == nullptr ? nullptr : &found->failed;
}

std::vector<TaskFailure> Core::Failures(JobId job) const {
  std::vector<TaskFailure> all;
  const JobRecord* const found = FindJob(job);
  if (found == nullptr) return all;
  for (const auto& entry : found->failures.all()) all.push_back(entry.value);
  return all;
}

std::optional<WorkerInfo> Core::Worker(WorkerId worker) const {
  const auto it = workers_.find(worker);
  if (it == workers_.end()) return std::nullopt;
  return Describe(*it->second);
}

std::vector<WorkerInfo> Core::Workers() const {
  std::vector<WorkerInfo> all;
  for (const auto& [id, worker] : workers_) all.push_back(Describe(*worker));
  return all;
}

ClusterInfo Core::Cluster() const {
  ClusterInfo info;
  info.num_workers = static_cast<int64_t>(workers_.size());
  for (const auto& [id, worker] : workers_) {
    info.num_slots += worker->slots;
    info.num_idle += worker->num_tasks < worker->slots ? 1 : 0;
  }
  info.num_jobs = static_cast<int64_t>(jobs_.size());
  for (const auto& [id, job] : jobs_) {
    info.num_active_jobs += job->active() ? 1 : 0;
    info.num_runs += job->num_runs();
  }
  info.num_leases = num_leases_;
  info.frames_committing = static_cast<int64_t>(committing_.size());
  info.spool_blocked = spool_blocked_;
  return info;
}

std::string Core::WhyWaiting(const JobRecord& job) const {
  if (!spool_blocked_.empty()) {
    return absl::StrCat("no task is given out: ", spool_blocked_);
  }
  if (workers_.empty()) return "no worker is connected";
  if (num_fed_ == 0) return "all workers are draining";
  int64_t before = 0;
  for (const auto& [key, other] : queue_) {
    if (other->priority <= job.priority) break;
    before += other->waiting();
  }
  if (before > 0) {
    return absl::StrCat(before, " tasks of jobs with a higher priority wait");
  }
  return absl::StrCat("all ", num_fed_, " workers are busy");
}

Explanation Core::Explain(JobId id) const {
  const JobRecord* const job = FindJob(id);
  if (job == nullptr) return {.text = "there is no such job"};
  switch (job->state) {
    case JobState::kCompleted:
      return {.text = "all tasks are done"};
    case JobState::kCompletedWithFailures:
      return {.text = absl::StrCat(job->failed.size(), " tasks failed, ",
                                   job->done.size(), " are done")};
    case JobState::kFailed:
      return {.text = absl::StrCat("the job failed: ", job->message)};
    case JobState::kCancelled:
      return {.text = "the job was cancelled"};
    case JobState::kQueued:
    case JobState::kRunning:
      break;
  }
  std::string text = absl::StrCat(
      job->done.size(), " of ", job->num_tasks, " tasks are done, ",
      job->leased, " are with workers, ", job->failed.size(), " failed");
  if (job->committing.size() > 0) {
    absl::StrAppend(&text, ", ", job->committing.size(), " are being written");
    if (!spool_blocked_.empty()) {
      absl::StrAppend(&text, " as soon as they can be: ", spool_blocked_);
    }
  }
  if (job->retry.size() > 0) {
    absl::StrAppend(&text, ", ", job->retry.size(), " wait for another try");
  }
  if (job->suspects.size() > 0) {
    absl::StrAppend(&text, ", ", job->suspects.size(),
                    " wait to be run alone, since a process died while they "
                    "were running");
  }
  if (job->pending.size() > 0) {
    absl::StrAppend(&text, ", ", job->pending.size(),
                    " wait: ", WhyWaiting(*job));
  }
  return {.text = std::move(text)};
}

Explanation Core::Explain(JobId id, int64_t task) const {
  const JobRecord* const job = FindJob(id);
  if (job == nullptr) return {.text = "there is no such job"};
  if (task < 0 || task >= job->num_tasks) {
    return {.text = absl::StrCat("the job has tasks 0 to ", job->num_tasks - 1,
                                 "; there is no task ", task)};
  }
  Explanation why;
  if (const Trouble* trouble = job->troubles.Find(task)) {
    why.history = trouble->history;
  }
  if (job->done.Contains(task)) {
    why.state = TaskState::kDone;
    why.text = "the result is in the spool";
  } else if (job->committing.Contains(task)) {
    why.state = TaskState::kCommitting;
    why.text = "the result is being written to the spool";
  } else if (job->failed.Contains(task)) {
    why.state = TaskState::kFailed;
    why.text = "the task failed; the journal says why";
    if (const TaskFailure* failure = job->failures.Find(task)) {
      why.text = failure->message;
      why.history = failure->history;
    }
  } else if (!job->active()) {
    why.state = TaskState::kAbandoned;
    why.text = absl::StrCat("not finished: ", Explain(id).text);
  } else if (const auto* holder = job->holders.Find(task);
             holder != nullptr && (*holder)->remaining.Contains(task)) {
    const Lease& lease = **holder;
    why.state = TaskState::kLeased;
    why.text = absl::StrCat(
        "with worker ", lease.worker->id.value, " for ",
        absl::FormatDuration(absl::Nanoseconds(now_ - lease.granted_at)));
    if (lease.alone) absl::StrAppend(&why.text, ", alone");
    if (const auto* copy = job->copies.Find(task)) {
      absl::StrAppend(&why.text, "; a copy is with worker ",
                      (*copy)->worker->id.value);
    }
  } else {
    why.state = TaskState::kPending;
    if (job->suspects.Contains(task)) {
      why.text = "waits to be run alone, since a process died while it ran";
    } else if (job->retry.Contains(task)) {
      why.text = "waits for another try";
    } else {
      why.text = absl::StrCat("waits: ", WhyWaiting(*job));
    }
  }
  return why;
}

}  // namespace internode::scheduler::core
