#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "scheduler/core/core.h"

// Who holds what.

namespace internode::scheduler::core {

Lease* Core::FindLease(const WorkerRecord& worker, LeaseId lease) const {
  for (const auto& held : worker.leases) {
    if (held->id == lease) return held.get();
  }
  return nullptr;
}

Lease* Core::AddLease(JobRecord* job, WorkerRecord* worker, bool front) {
  auto lease = std::make_unique<Lease>();
  Lease* const added = lease.get();
  added->id = {next_lease_++};
  added->job = job;
  added->worker = worker;
  added->granted_at = now_;
  // The first one is running.
  const bool second = front && !worker->leases.empty();
  worker->leases.insert(
      second ? worker->leases.begin() + 1 : worker->leases.end(),
      std::move(lease));
  ++num_leases_;
  if (job->state == JobState::kQueued) {
    job->state = JobState::kRunning;
    actions_->push_back(NotifyJob{job->id, job->state});
  }
  return added;
}

void Core::Grant(JobRecord* job, WorkerRecord* worker, Interval tasks,
                 GrantOptions options) {
  Lease* const lease = AddLease(job, worker, options.front);
  lease->granted.push_back(tasks);
  lease->remaining.Add(tasks);
  lease->alone = options.alone;
  worker->num_tasks += tasks.size();
  worker->copied_until = 0;
  if (options.copy) {
    job->copies.Assign(tasks, lease);
  } else {
    job->holders.Assign(tasks, lease);
    job->leased += tasks.size();
    lease->charged = ChargeFor(*job);
    Charge(job, MultiplyUpTo(tasks.size(), lease->charged, kNever / 4));
  }
  actions_->push_back(GrantLease{worker->id, worker->epoch, lease->id, job->id,
                                 tasks, options.front, options.alone});
  Requeue(job);
}

void Core::Release(Lease* lease, Interval tasks, Intervals* orphans) {
  JobRecord* const job = lease->job;
  lease->remaining.Remove(tasks);
  lease->worker->num_tasks -= tasks.size();
  if (job->copies.empty()) {
    job->holders.Erase(tasks);
    job->leased -= tasks.size();
    orphans->push_back(tasks);
    return;
  }
  const auto orphan = [&](Interval run) {
    if (run.end <= run.begin) return;
    job->holders.Erase(run);
    job->leased -= run.size();
    orphans->push_back(run);
  };
  for (const auto& [held, holder] : job->holders.Within(tasks)) {
    if (holder != lease) {
      // The lease was the copy; the holder's tasks may be copied anew.
      job->copies.EraseValue(held, lease);
      holder->worker->copied_until = 0;
      Reindex(holder->worker);
      continue;
    }
    int64_t at = held.begin;
    for (const auto& [copied, copy] : job->copies.Within(held)) {
      orphan({at, copied.begin});
      job->copies.Erase(copied);
      job->holders.Assign(copied, copy);
      at = copied.end;
    }
    orphan({at, held.end});
  }
}

void Core::ReleaseToPools(Lease* lease, const Intervals& tasks) {
  Intervals orphans;
  for (const Interval& run : tasks) Release(lease, run, &orphans);
  for (const Interval& run : orphans) {
    lease->job->Return(run);
    Charge(lease->job, -MultiplyUpTo(run.size(), lease->charged, kNever / 4));
  }
  Requeue(lease->job);
  EndIfEmpty(lease);
}

void Core::Drop(Lease* lease) {
  ReleaseToPools(lease, RunsOf(lease->remaining));
}

void Core::Revoke(const Lease& lease, Intervals tasks) {
  WorkerRecord* const worker = lease.worker;
  worker->may_run_revoked = true;
  actions_->push_back(RevokeLease{worker->id, worker->epoch, lease.id,
                                  lease.job->id, std::move(tasks)});
}

void Core::Withdraw(JobRecord* job, Interval tasks, const Lease* sender) {
  job->pending.Remove(tasks);
  job->retry.Remove(tasks);
  job->suspects.Remove(tasks);
  absl::btree_map<LeaseId, Lease*> met;
  const auto take = [&](const IntervalMap<Lease*>& holders, bool copies) {
    for (const auto& [interval, lease] : holders.Within(tasks)) {
      const IntervalSet held = lease->remaining.Intersection(interval);
      if (held.empty()) continue;
      met.emplace(lease->id, lease);
      lease->remaining.Remove(interval);
      lease->worker->num_tasks -= held.size();
      if (!copies) job->leased -= held.size();
      if (lease == sender) continue;
      Revoke(*lease, RunsOf(held));
    }
  };
  take(job->holders, false);
  take(job->copies, true);
  job->holders.Erase(tasks);
  job->copies.Erase(tasks);
  for (const auto& [id, lease] : met) {
    Touch(lease->worker);
    EndIfEmpty(lease);
  }
}

void Core::EndIfEmpty(Lease* lease) {
  if (!lease->remaining.empty()) return;
  ForgetAsk(lease);
  JobRecord* const job = lease->job;
  for (const Interval& piece : lease->granted) {
    job->holders.EraseValue(piece, lease);
    if (!job->copies.empty()) job->copies.EraseValue(piece, lease);
  }
  auto& leases = lease->worker->leases;
  leases.erase(
      std::find_if(leases.begin(), leases.end(),
                   [&](const auto& held) { return held.get() == lease; }));
  --num_leases_;
}

void Core::ForgetAsk(Lease* lease) {
  if (!lease->asked.has_value()) return;
  lease->asked.reset();
  --asks_in_flight_;
}

}  // namespace internode::scheduler::core
