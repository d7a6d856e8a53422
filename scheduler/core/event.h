#ifndef INTERNODE_SCHEDULER_CORE_EVENT_H_
#define INTERNODE_SCHEDULER_CORE_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/failure.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/job_policies.h"

// What happened, as the engine tells the core. Nothing in an event is trusted:
// events about unknown jobs, workers, leases or frames, of an older epoch, for
// tasks that the worker does not hold, twice, late or in another order change
// nothing that they should not. docs/scheduler.md has the table of what
// follows from each.

namespace internode::scheduler::core {

// ---- from clients ----

// A client submitted a plan. Follows: PersistJob, then leases; or RejectJob
// (id 0 or in use, num_tasks outside 0 to kMostTasks).
struct JobSubmitted {
  JobId job;
  int64_t num_tasks = 0;
  // Higher goes first; moved into -kMostPriority to kMostPriority.
  int priority = 0;
  JobPolicies policies;
};

// A client cancelled the job. Its leases are revoked at once.
struct JobCancelled {
  JobId job;
};

// The job and all that it holds is to be forgotten, whatever its state.
struct JobForgotten {
  JobId job;
};

// The failed tasks of a terminal, not cancelled job are to be run again.
struct TasksRetried {
  JobId job;
};

// ---- from the journal and the spool ----

// At start: a job that an earlier scheduler had persisted, with what the spool
// and the journal hold. Sent before any worker joins. Follows: leases for what
// is missing; or RejectJob, as for JobSubmitted.
struct JobRecovered {
  JobSubmitted submission;
  // The last state that was persisted.
  JobState state = JobState::kQueued;
  // The tasks whose frames are in the spool.
  std::vector<Interval> done;
  // The failures that were persisted since the last PersistRetry.
  std::vector<TaskFailure> failures;
};

// The job cannot go on for a reason that is not in its tasks: its spool cannot
// be written or read. The job fails.
struct JobAborted {
  JobId job;
  std::string message;
};

// The frame of an AcceptFrame is durable. Follows: AckFrame; at the last one,
// the end of the job.
struct FrameCommitted {
  FrameId frame;
};

// The frame of an AcceptFrame was given up before it was durable. Its tasks
// wait for a worker again.
struct FrameLost {
  FrameId frame;
};

// The spool takes no more: the disk is full, or fails. No lease is granted
// until SpoolResumed.
struct SpoolBlocked {
  std::string message;
};

struct SpoolResumed {};

// ---- from workers ----

// Tasks of a job that a worker still holds from an earlier connection:
// finished, in frames that were not acknowledged, or running now.
struct Offer {
  JobId job;
  Interval tasks;
};

// A worker process said hello. What its earlier connection held is void, but
// for what it offers: follows AnswerOffer for each job offered, then leases.
struct WorkerJoined {
  WorkerId worker;
  Epoch epoch = 0;
  // Compute threads; moved into 1 to kMostSlots.
  int slots = 1;
  std::vector<Offer> offers;
};

// The connection ended: closed, cut, drained. Its leases are void.
struct WorkerLost {
  WorkerId worker;
  Epoch epoch = 0;
  std::string message;
};

struct RunningTask {
  JobId job;
  int64_t task = 0;
  absl::Duration elapsed;
};

// The supervisor saw the process end by itself: a signal, an exit code, the
// memory limit. It may come before or after WorkerLost of the same epoch, or
// instead of it. The tasks that were running are suspects, and run alone from
// now on.
struct ProcessDied {
  WorkerId worker;
  Epoch epoch = 0;
  std::string message;
  // What ran when it died; nullopt: not known, then all that it held is
  // suspect.
  std::optional<std::vector<RunningTask>> running;
};

// The worker lives. Every event that names a worker's epoch tells that too.
struct HeartbeatReceived {
  WorkerId worker;
  Epoch epoch = 0;
  // One for each busy slot.
  std::vector<RunningTask> running;
};

// The worker takes no new lease until WorkerResumed: its buffers are full.
struct WorkerPaused {
  WorkerId worker;
  Epoch epoch = 0;
};

struct WorkerResumed {
  WorkerId worker;
  Epoch epoch = 0;
};

// The worker finishes what runs, gives the rest back by LeaseReturned, and
// leaves. It gets no lease any more.
struct WorkerDraining {
  WorkerId worker;
  Epoch epoch = 0;
};

// An operator wants the worker to leave. Follows: DrainWorker.
struct DrainRequested {
  WorkerId worker;
};

// The worker gave back tasks of a lease that it had not started: the answer to
// TakeBack, empty if there were none, or by itself.
struct LeaseReturned {
  WorkerId worker;
  Epoch epoch = 0;
  LeaseId lease;
  std::vector<Interval> tasks;
};

// The frame with the results of consecutive tasks was received, and its
// checksum is right. Follows: AcceptFrame or DropFrame. The epoch may be an
// old one: a late frame is as good as any.
struct FrameArrived {
  FrameId frame;
  WorkerId worker;
  Epoch epoch = 0;
  // Under which the tasks were run; may have ended since.
  LeaseId lease;
  JobId job;
  Interval tasks;
  // How long slots were busy with these tasks, in sum.
  absl::Duration busy;
};

// Tasks of the lease failed. Follows: they are run elsewhere, or
// PersistFailure.
struct TaskFailed {
  WorkerId worker;
  Epoch epoch = 0;
  LeaseId lease;
  Interval tasks;
  // Whether another try may help.
  bool retryable = false;
  std::string message;
};

// ---- from the clock ----

// Nothing, but that time passed. Due at Core::NextWakeup().
struct Tick {};

using Event =
    std::variant<JobSubmitted, JobCancelled, JobForgotten, TasksRetried,
                 JobRecovered, JobAborted, FrameCommitted, FrameLost,
                 SpoolBlocked, SpoolResumed, WorkerJoined, WorkerLost,
                 ProcessDied, HeartbeatReceived, WorkerPaused, WorkerResumed,
                 WorkerDraining, DrainRequested, LeaseReturned, FrameArrived,
                 TaskFailed, Tick>;

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_EVENT_H_
