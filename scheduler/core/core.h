#ifndef INTERNODE_SCHEDULER_CORE_CORE_H_
#define INTERNODE_SCHEDULER_CORE_CORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "scheduler/core/action.h"
#include "scheduler/core/event.h"
#include "scheduler/core/info.h"
#include "scheduler/core/job_record.h"
#include "scheduler/core/nanos.h"
#include "scheduler/core/options.h"
#include "scheduler/core/worker_record.h"

namespace internode::scheduler::core {

// The scheduler as a value: which worker runs which tasks of which job. No
// threads, sockets, files, clock or randomness: the same events at the same
// times give the same actions. Memory grows with jobs, workers, leases and
// gaps between finished tasks, not with tasks. An event costs O(log n), plus
// what it changes. docs/scheduler.md tells the rules in words.
// Thread-compatible; the engine owns it on one strand.
class Core {
 public:
  explicit Core(const CoreOptions& options);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Applies `event` and appends to `actions` what must now happen, in order.
  // Time never goes back: an earlier `now` counts as the latest one.
  void Handle(absl::Time now, const Event& event, std::vector<Action>* actions);

  // When a Tick is due even if nothing else happens; InfiniteFuture if never.
  // If no event comes until long after, the core takes it that the scheduler
  // itself was stopped, and does not hold the silence against the workers.
  absl::Time NextWakeup() const;

  // Snapshots. Nothing, or null, for what is not known.
  std::optional<JobInfo> Job(JobId job) const;
  std::vector<JobInfo> Jobs() const;
  // The tasks that are done, and those that failed; valid until the next
  // Handle.
  const IntervalSet* Done(JobId job) const;
  const IntervalSet* Failed(JobId job) const;
  // The first failures, by task; the journal has all.
  std::vector<TaskFailure> Failures(JobId job) const;
  std::optional<WorkerInfo> Worker(WorkerId worker) const;
  std::vector<WorkerInfo> Workers() const;
  ClusterInfo Cluster() const;

  // Why the job, or the task, waits or died.
  Explanation Explain(JobId job) const;
  Explanation Explain(JobId job, int64_t task) const;

  // Whether all parts of the state agree, for tests: OK, or the first
  // contradiction found. Costs O(state).
  absl::Status CheckInvariants() const;

 private:
  // Which job is served first: the highest priority, then the one that was
  // given least.
  using QueueKey = std::tuple<int, int64_t, JobId>;
  // By some figure, then by id.
  using WorkerIndex =
      absl::btree_map<std::pair<int64_t, WorkerId>, WorkerRecord*>;

  // The load, in 1/1024 tasks per slot, from which on a worker has a task for
  // each slot.
  static constexpr int64_t kFullLoad = 1024;

  struct Committing {
    // 0: the job was forgotten.
    JobId job;
    Intervals fresh;
  };
  // What a worker held when its connection ended.
  struct Departed {
    Epoch epoch = 0;
    Nanos until = 0;
    bool may_run_revoked = false;
    std::vector<std::pair<JobId, IntervalSet>> held;
  };
  struct Ask {
    Nanos at = 0;
    WorkerId worker;
    LeaseId lease;
  };
  struct GrantOptions {
    bool copy = false;
    bool alone = false;
    bool front = false;
  };

  // One for each event: core_jobs.cc, core_frames.cc, core_workers.cc.
  void On(const JobSubmitted& event);
  void On(const JobCancelled& event);
  void On(const JobForgotten& event);
  void On(const TasksRetried& event);
  void On(const JobRecovered& event);
  void On(const JobAborted& event);
  void On(const FrameCommitted& event);
  void On(const FrameLost& event);
  void On(const SpoolBlocked& event);
  void On(const SpoolResumed& event);
  void On(const WorkerJoined& event);
  void On(const WorkerLost& event);
  void On(const ProcessDied& event);
  void On(const HeartbeatReceived& event);
  void On(const WorkerPaused& event);
  void On(const WorkerResumed& event);
  void On(const WorkerDraining& event);
  void On(const DrainRequested& event);
  void On(const LeaseReturned& event);
  void On(const FrameArrived& event);
  void On(const TaskFailed& event);
  void On(const Tick& event);

  // ---- core.cc: time, and the end of a turn ----
  void Advance(Nanos now);
  void CloseSilent();
  void Settle();
  Nanos Wakeup() const;
  // The last time at which `then` counts as, given that the scheduler may
  // have been stopped.
  Nanos SilentSince(Nanos then) const { return std::max(then, forgiven_); }

  // ---- core_jobs.cc ----
  JobRecord* FindJob(JobId job) const;
  JobRecord* AddJob(const JobSubmitted& submission);
  // Ends the job before its tasks have ended; its leases are revoked.
  void Stop(JobRecord* job, JobState state, absl::string_view message);
  void RevokeAll(JobRecord* job);
  // Ends the job if its tasks have, or if too many failed.
  void EndIfDue(JobRecord* job);
  void Fail(JobRecord* job, TaskFailure failure);
  // Brings the job's place in the queues up to date.
  void Requeue(JobRecord* job);
  Nanos ChargeFor(const JobRecord& job) const;
  void Charge(JobRecord* job, Nanos busy);

  // ---- core_frames.cc ----
  // Why the frame contradicts what was granted; empty if it does not.
  std::string Contradiction(const FrameArrived& event, const JobRecord& job,
                            const Lease* lease) const;
  // The tasks that are not done, failed or being committed.
  IntervalSet Unended(const JobRecord& job, Interval tasks) const;
  // Takes the tasks that have not ended from all who hold them.
  Intervals Claim(JobRecord* job, Interval tasks, Lease* sender);
  void Measure(JobRecord* job, WorkerRecord* worker, const FrameArrived& event);
  // The job owes what the frame's tasks took beyond what was charged for them.
  void SettleCharge(const Lease& lease, const FrameArrived& event) const;

  // ---- core_workers.cc ----
  // The worker if it is connected in this epoch; that it lives is noted.
  WorkerRecord* Session(WorkerId worker, Epoch epoch);
  void Adopt(WorkerRecord* worker, JobId id, const IntervalSet& offered);
  LeaseId Keep(JobRecord* job, WorkerRecord* worker, IntervalSet tasks);
  // Voids its leases, and forgets it but for what it held.
  void Lose(WorkerRecord* worker);
  void Close(WorkerRecord* worker, absl::string_view message);
  void StopFeeding(WorkerRecord* worker);
  void Blame(const Departed& departed, const ProcessDied& event);
  void Suspect(JobRecord* job, Interval tasks, int64_t num_suspects,
               const Happening& happening);

  // ---- core_leases.cc: who holds what ----
  Lease* FindLease(const WorkerRecord& worker, LeaseId lease) const;
  Lease* AddLease(JobRecord* job, WorkerRecord* worker, bool front);
  void Grant(JobRecord* job, WorkerRecord* worker, Interval tasks,
             GrantOptions options);
  // The lease gives up tasks, all of which it holds; those that nobody else
  // holds are appended to `orphans`.
  void Release(Lease* lease, Interval tasks, Intervals* orphans);
  void ReleaseToPools(Lease* lease, const Intervals& tasks);
  void Drop(Lease* lease);
  // Tells the holder, which may have begun them.
  void Revoke(const Lease& lease, Intervals tasks);
  // Takes tasks from wherever they wait and from all who hold them; the
  // holders but for `sender` are told.
  void Withdraw(JobRecord* job, Interval tasks, const Lease* sender);
  void EndIfEmpty(Lease* lease);
  void ForgetAsk(Lease* lease);

  // ---- core_dispatch.cc: who gets what ----
  void Touch(WorkerRecord* worker);
  // Gives the worker what it wants, as far as there is something.
  void Refill(WorkerRecord* worker);
  bool GrantNext(WorkerRecord* worker);
  bool GrantFrom(JobRecord* job, WorkerRecord* worker);
  bool GrantSuspects(WorkerRecord* worker);
  void Dispatch();
  void DispatchSuspects();
  void SetAlone(WorkerRecord* worker, bool alone);
  int64_t MostAlone() const;
  // Gives a new job a first lease where no worker is free.
  void HeadStart(JobId job);
  int64_t SizeFor(const JobRecord& job, const WorkerRecord& worker) const;

  // ---- core_balance.cc: work moves from the loaded to the idle ----
  void Balance();
  bool AskMostLoaded();
  // Asks for half of what `worker` has not started, if it has that.
  bool AskBack(WorkerRecord* worker);
  bool CopyOverdue();
  // Whether what `late` has not started may still come back, since it is asked
  // and has had little time to answer: it is not copied meanwhile.
  bool AskLate(WorkerRecord* late);
  // An idle worker for a copy of what `late` has: of some, the one that was
  // heard last. Null if there is none.
  WorkerRecord* FindIdle(const WorkerRecord& late, bool alone) const;
  // Where copies that `late` has are late themselves, takes the tasks from one
  // of the two who have them, so that another gets them; returns when the next
  // copy will be late, kNever if it has no more, 0 if another can begin now.
  Nanos TakeFromLate(WorkerRecord* late);
  // The tasks of which the lease is the copy.
  Intervals CopiedBy(const Lease& lease) const;
  void TakeFrom(Lease* lease, const Intervals& tasks);
  std::optional<std::pair<Lease*, Interval>> FindUncopied(
      const WorkerRecord& worker, int64_t most) const;
  // Brings the worker's places in the indexes up to date.
  void Reindex(WorkerRecord* worker);
  void RemoveFromIndexes(WorkerRecord* worker);
  std::optional<Nanos> OverdueAt(const WorkerRecord& worker) const;

  // ---- core_info.cc ----
  JobInfo Describe(const JobRecord& job) const;
  WorkerInfo Describe(const WorkerRecord& worker) const;
  std::string WhyWaiting(const JobRecord& job) const;

  // ---- core_check.cc ----
  absl::Status CheckJob(const JobRecord& job) const;
  absl::Status CheckWorker(const WorkerRecord& worker) const;
  absl::Status CheckIndexes() const;

  // Constant after construction.
  const Nanos target_;
  const Nanos least_;
  const Nanos ttl_;
  const int allowed_deaths_;
  const Nanos copy_after_;
  const Nanos retry_elsewhere_;

  Nanos now_ = 0;
  // What NextWakeup said after the last event.
  Nanos promised_ = kNever;
  // Until then the scheduler itself was stopped.
  Nanos forgiven_ = 0;
  uint64_t next_lease_;
  // Not empty: no lease is granted.
  std::string spool_blocked_;
  // Of the event at hand.
  std::vector<Action>* actions_ = nullptr;

  absl::btree_map<JobId, std::unique_ptr<JobRecord>> jobs_;
  // Active jobs with tasks that any worker may run.
  absl::btree_map<QueueKey, JobRecord*> queue_;
  // Active jobs with suspects that wait.
  absl::btree_set<JobId> suspect_jobs_;
  // By priority: the pass of the job that was served last.
  absl::btree_map<int, int64_t> served_;
  // A job that was submitted in this turn.
  std::optional<JobId> newcomer_;
  absl::btree_map<FrameId, Committing> committing_;

  absl::btree_map<WorkerId, std::unique_ptr<WorkerRecord>> workers_;
  // All workers, by when to look whether they were silent for their ttl: not
  // later than that is so.
  WorkerIndex silences_;
  // Workers that want a lease and got none, by load; those below kFullLoad
  // have fewer tasks than slots.
  WorkerIndex hungry_;
  // Workers with unstarted tasks, by when they will have delivered.
  WorkerIndex loaded_;
  // Workers with tasks that can be copied, by when these will be overdue.
  WorkerIndex overdue_;
  absl::btree_set<WorkerId> alone_;
  // There may be workers among them that run no suspects.
  bool any_reserved_ = false;
  std::vector<WorkerRecord*> touched_;
  int64_t num_idle_ = 0;
  // Of workers that do not drain.
  int64_t num_fed_ = 0;
  int64_t fed_slots_ = 0;
  int64_t num_leases_ = 0;

  // TakeBacks that were not answered, by when they were sent.
  std::deque<Ask> asks_;
  int64_t asks_in_flight_ = 0;

  absl::btree_map<WorkerId, Departed> departed_;
  std::deque<std::pair<Nanos, WorkerId>> departures_;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_CORE_H_
