#ifndef INTERNODE_SCHEDULER_CORE_ACTION_H_
#define INTERNODE_SCHEDULER_CORE_ACTION_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"

#include "scheduler/core/failure.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/job_policies.h"

// What must now happen, as the core tells the engine. The engine makes durable
// what the Persist and Erase actions of a turn say, and only then carries out
// the others, in order. Actions to a worker whose connection has ended are
// dropped.

namespace internode::scheduler::core {

using Intervals = absl::InlinedVector<Interval, 1>;

inline Intervals RunsOf(const IntervalSet& set) {
  const std::vector<Interval> runs = set.intervals();
  return Intervals(runs.begin(), runs.end());
}

// ---- to the journal ----

// The job's state must survive a restart.
struct PersistJob {
  JobId job;
  JobState state = JobState::kQueued;
  // Why it failed; empty otherwise.
  std::string message;

  friend bool operator==(const PersistJob&, const PersistJob&) = default;
};

struct PersistFailure {
  JobId job;
  TaskFailure failure;

  friend bool operator==(const PersistFailure&,
                         const PersistFailure&) = default;
};

// The failures persisted so far are void, and the job is running.
struct PersistRetry {
  JobId job;

  friend bool operator==(const PersistRetry&, const PersistRetry&) = default;
};

// The job and its spool are to be deleted.
struct EraseJob {
  JobId job;

  friend bool operator==(const EraseJob&, const EraseJob&) = default;
};

// ---- to the spool ----

// The frame is to be written; of its tasks only `fresh`, ascending and not
// empty, count. Answered by FrameCommitted or FrameLost.
struct AcceptFrame {
  FrameId frame;
  JobId job;
  Intervals fresh;

  friend bool operator==(const AcceptFrame&, const AcceptFrame&) = default;
};

// No task of the frame is wanted. The engine acknowledges it to the worker
// once all frames accepted before are durable, so that the worker drops it.
struct DropFrame {
  enum class Reason {
    // All of its tasks are done, failed, or being committed.
    kNotNeeded,
    // The job is unknown, or ended.
    kNoSuchJob,
    // Tasks outside the job or the lease, or a lease that never was.
    kInvalid,
  };

  FrameId frame;
  Reason reason = Reason::kNotNeeded;

  friend bool operator==(const DropFrame&, const DropFrame&) = default;
};

// The frame is durable; its worker may drop it.
struct AckFrame {
  FrameId frame;

  friend bool operator==(const AckFrame&, const AckFrame&) = default;
};

// ---- to a worker ----

// The worker is to run these tasks, ascending, after the leases that it has.
struct GrantLease {
  WorkerId worker;
  Epoch epoch = 0;
  LeaseId lease;
  JobId job;
  Interval tasks;
  // Before all that it has not started.
  bool front = false;
  // The tasks are suspected of killing processes: the worker holds nothing
  // else, and gets nothing else until they have ended.
  bool alone = false;

  friend bool operator==(const GrantLease&, const GrantLease&) = default;
};

// The worker gives back what of these tasks it has not started. Answered by
// LeaseReturned.
struct TakeBack {
  WorkerId worker;
  Epoch epoch = 0;
  LeaseId lease;
  JobId job;
  Interval tasks;

  friend bool operator==(const TakeBack&, const TakeBack&) = default;
};

// The worker drops these tasks, those that run too if it can, and their
// results. Not answered.
struct RevokeLease {
  WorkerId worker;
  Epoch epoch = 0;
  LeaseId lease;
  JobId job;
  Intervals tasks;

  friend bool operator==(const RevokeLease&, const RevokeLease&) = default;
};

// Of the tasks that the worker offered of this job it is to keep `wanted`:
// send their frames again, or go on running them, under `lease` (whatever they
// had before). The rest it drops.
struct AnswerOffer {
  WorkerId worker;
  Epoch epoch = 0;
  JobId job;
  LeaseId lease;
  Intervals wanted;

  friend bool operator==(const AnswerOffer&, const AnswerOffer&) = default;
};

// The worker is to drain.
struct DrainWorker {
  WorkerId worker;
  Epoch epoch = 0;

  friend bool operator==(const DrainWorker&, const DrainWorker&) = default;
};

// The process is to be killed and started again by its supervisor, which
// reports ProcessDied.
struct RestartProcess {
  WorkerId worker;
  Epoch epoch = 0;
  std::string message;

  friend bool operator==(const RestartProcess&,
                         const RestartProcess&) = default;
};

// The connection is to be closed; the worker may come back with a new one. The
// core has already forgotten it: no WorkerLost need follow.
struct CloseWorker {
  WorkerId worker;
  Epoch epoch = 0;
  std::string message;

  friend bool operator==(const CloseWorker&, const CloseWorker&) = default;
};

// ---- to clients ----

struct RejectJob {
  JobId job;
  std::string message;

  friend bool operator==(const RejectJob&, const RejectJob&) = default;
};

// The job's state changed.
struct NotifyJob {
  JobId job;
  JobState state = JobState::kQueued;

  friend bool operator==(const NotifyJob&, const NotifyJob&) = default;
};

using Action = std::variant<PersistJob, PersistFailure, PersistRetry, EraseJob,
                            AcceptFrame, DropFrame, AckFrame, GrantLease,
                            TakeBack, RevokeLease, AnswerOffer, DrainWorker,
                            RestartProcess, CloseWorker, RejectJob, NotifyJob>;

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_ACTION_H_
