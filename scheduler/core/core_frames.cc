#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "scheduler/core/core.h"

// Results and failures of tasks, as they come in and become durable.

namespace internode::scheduler::core {

std::string Core::Contradiction(const FrameArrived& event, const JobRecord& job,
                                const Lease* lease) const {
  const Interval tasks = event.tasks;
  if (tasks.begin < 0 || tasks.end <= tasks.begin ||
      tasks.end > job.num_tasks) {
    return absl::StrCat("frame for tasks ", tasks.begin, " to ", tasks.end,
                        "; job ", job.id.value, " has ", job.num_tasks,
                        " tasks");
  }
  if (lease == nullptr) {
    if (event.lease.value < next_lease_) return "";
    return absl::StrCat("frame for lease ", event.lease.value,
                        ", which was never granted");
  }
  const bool granted =
      lease->job == &job &&
      (lease->offered ||
       std::any_of(lease->granted.begin(), lease->granted.end(),
                   [&](const Interval& piece) {
                     return piece.begin <= tasks.begin &&
                            tasks.end <= piece.end;
                   }));
  if (granted) return "";
  return absl::StrCat("frame for tasks ", tasks.begin, " to ", tasks.end,
                      ", which are not in lease ", lease->id.value);
}

void Core::On(const FrameArrived& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  JobRecord* const job = FindJob(event.job);
  if (job == nullptr) {
    actions_->push_back(DropFrame{event.frame, DropFrame::Reason::kNoSuchJob});
    return;
  }
  Lease* const lease =
      worker == nullptr ? nullptr : FindLease(*worker, event.lease);
  const std::string lie = Contradiction(event, *job, lease);
  if (!lie.empty() || committing_.contains(event.frame)) {
    actions_->push_back(DropFrame{event.frame, DropFrame::Reason::kInvalid});
    if (worker != nullptr && !lie.empty()) Close(worker, lie);
    return;
  }
  if (!job->active() && !job->ended()) {
    actions_->push_back(DropFrame{event.frame, DropFrame::Reason::kNoSuchJob});
    return;
  }
  if (lease != nullptr) SettleCharge(*lease, event);
  const Intervals fresh = Claim(job, event.tasks, lease);
  if (fresh.empty()) {
    actions_->push_back(DropFrame{event.frame, DropFrame::Reason::kNotNeeded});
    return;
  }
  Measure(job, worker, event);
  for (const Interval& run : fresh) job->committing.Add(run);
  actions_->push_back(AcceptFrame{event.frame, job->id, fresh});
  committing_.emplace(event.frame, Committing{job->id, fresh});
  Requeue(job);
  if (worker != nullptr) Touch(worker);
}

IntervalSet Core::Unended(const JobRecord& job, Interval tasks) const {
  IntervalSet unended = job.done.Missing(tasks);
  unended.Remove(job.committing.Intersection(tasks));
  unended.Remove(job.failed.Intersection(tasks));
  return unended;
}

Intervals Core::Claim(JobRecord* job, Interval tasks, Lease* sender) {
  if (sender != nullptr && job->copies.First(tasks).second == nullptr &&
      sender->remaining.ContainsAll(tasks)) {
    sender->remaining.Remove(tasks);
    sender->worker->num_tasks -= tasks.size();
    job->leased -= tasks.size();
    if (!job->troubles.empty()) job->troubles.Erase(tasks);
    EndIfEmpty(sender);
    return {tasks};
  }
  Intervals claimed;
  for (const Interval& run : Unended(*job, tasks).intervals()) {
    Withdraw(job, run, sender);
    job->troubles.Erase(run);
    claimed.push_back(run);
  }
  return claimed;
}

void Core::Measure(JobRecord* job, WorkerRecord* worker,
                   const FrameArrived& event) {
  const int64_t tasks = event.tasks.size();
  const Nanos busy = ToNanos(event.busy, 0, kNever / 2);
  if (job->duration.measured()) {
    if (worker != nullptr) {
      worker->slowness.Measure(
          MultiplyUpTo(tasks, job->duration.mean(), kNever / 2), busy);
    }
    job->duration.Measure(tasks, busy);
    return;
  }
  job->duration.Measure(tasks, busy);
  // Now it can be told how much those have to do who hold its tasks.
  for (const auto& entry : job->holders.all()) {
    entry.value->worker->dry_at = entry.value->worker->due_at = kNever;
    Touch(entry.value->worker);
  }
}

void Core::SettleCharge(const Lease& lease, const FrameArrived& event) const {
  if (lease.charged == 0 || !lease.remaining.ContainsAll(event.tasks)) return;
  // Its slots cannot have been busy for longer than it had the lease.
  const Nanos most =
      MultiplyUpTo(now_ - lease.granted_at, lease.worker->slots, kNever / 4);
  const Nanos busy = ToNanos(event.busy, 0, most);
  const Nanos charged =
      MultiplyUpTo(event.tasks.size(), lease.charged, kNever / 4);
  lease.job->owed =
      std::clamp(lease.job->owed + busy - charged, -kNever / 4, kNever / 4);
}

void Core::On(const FrameCommitted& event) {
  const auto it = committing_.find(event.frame);
  if (it == committing_.end()) return;
  const Committing frame = std::move(it->second);
  committing_.erase(it);
  actions_->push_back(AckFrame{event.frame});
  JobRecord* const job = FindJob(frame.job);
  if (job == nullptr) return;
  for (const Interval& run : frame.fresh) {
    job->committing.Remove(run);
    job->done.Add(run);
  }
  EndIfDue(job);
}

void Core::On(const FrameLost& event) {
  const auto it = committing_.find(event.frame);
  if (it == committing_.end()) return;
  const Committing frame = std::move(it->second);
  committing_.erase(it);
  JobRecord* const job = FindJob(frame.job);
  if (job == nullptr) return;
  for (const Interval& run : frame.fresh) {
    job->committing.Remove(run);
    job->Return(run);
  }
  Requeue(job);
}

void Core::On(const TaskFailed& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  Lease* const lease = FindLease(*worker, event.lease);
  if (lease == nullptr) return;
  JobRecord* const job = lease->job;
  Intervals orphans;
  for (const Interval& run :
       lease->remaining.Intersection(event.tasks).intervals()) {
    Release(lease, run, &orphans);
  }
  EndIfEmpty(lease);
  const Happening happening = {FromNanos(now_), worker->id,
                               Happening::Kind::kFailed,
                               event.message.substr(0, kMostMessageBytes)};
  for (Interval rest : orphans) {
    while (rest.begin < rest.end) {
      const auto [known, found] = job->troubles.First(rest);
      // First the tasks that were not in trouble, then those that were.
      const Interval part = found != nullptr && known.begin == rest.begin
                                ? known
                                : Interval{rest.begin, known.begin};
      Trouble trouble = found != nullptr && part == known ? *found : Trouble();
      rest.begin = part.end;
      ++trouble.failures;
      if (!event.retryable || trouble.failures > job->policies.max_retries) {
        Fail(job, {part, TaskFailure::Kind::kError, happening.message,
                   worker->id, std::move(trouble.history)});
        continue;
      }
      trouble.Remember(happening);
      job->troubles.Assign(part, std::move(trouble));
      job->Return(part);
    }
  }
  Touch(worker);
  EndIfDue(job);
  Requeue(job);
}

}  // namespace internode::scheduler::core
