#ifndef INTERNODE_SCHEDULER_CORE_JOB_RECORD_H_
#define INTERNODE_SCHEDULER_CORE_JOB_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/core/durations.h"
#include "scheduler/core/failure.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/interval_map.h"
#include "scheduler/core/job_policies.h"
#include "scheduler/core/lease.h"

namespace internode::scheduler::core {

// What went wrong with tasks that are neither done nor failed for good.
struct Trouble {
  int deaths = 0;
  int failures = 0;
  // Suspects are leased in pieces of so many: one, unless many tasks came
  // under suspicion at once; then fewer with each death.
  int64_t piece = 1;
  // Where it happened last, and when.
  WorkerId worker;
  Nanos since = 0;
  std::vector<Happening> history;

  void Remember(Happening happening);
};

// Where in a job a worker was working, so that it goes on there.
struct Place {
  JobId job;
  // The task after its last lease, and where its stretch ends.
  int64_t next = 0;
  int64_t stop = 0;
};

// All state of one job. At any time each task is in exactly one of: pending,
// retry, suspects, held by a worker (`holders`, and in that lease's
// `remaining`), committing, done, failed. A task that is held may be held by a
// second worker too (`copies`).
struct JobRecord {
  JobRecord(JobId job_id, int64_t tasks) : id(job_id), num_tasks(tasks) {
    pending.Add({0, tasks});
  }

  // Puts tasks that nobody holds where they wait: among the pending ones, or,
  // if they are in trouble, among those to retry or the suspects.
  void Return(Interval tasks);

  // Takes up to `most` pending tasks for a worker that is at `place`: next to
  // what it had, else at the front of what nobody works towards, else from the
  // end of another's stretch. A new stretch is `stretch` tasks long, and more
  // if so it ends between tasks that share nothing (JobPolicies).
  std::optional<Interval> TakePending(int64_t most, int64_t stretch,
                                      Place* place);

  // Takes tasks to retry for `worker`: those that failed elsewhere, or before
  // `patience_from`, or any if `anywhere`.
  std::optional<Interval> TakeRetry(int64_t most, WorkerId worker,
                                    Nanos patience_from, bool anywhere);

  // Takes the first piece of suspects.
  std::optional<Interval> TakeSuspects();

  bool active() const { return !IsTerminal(state); }
  // Tasks that can be leased, other than alone.
  int64_t waiting() const { return pending.size() + retry.size(); }
  // Ranges that are kept, of all kinds.
  int64_t num_runs() const;
  bool ended() const { return done.size() + failed.size() == num_tasks; }

  // Constant after construction.
  const JobId id;
  const int64_t num_tasks;
  int priority = 0;
  JobPolicies policies;

  JobState state = JobState::kQueued;
  std::string message;

  IntervalSet pending;
  IntervalSet retry;
  IntervalSet suspects;
  int64_t leased = 0;
  IntervalMap<Lease*> holders;
  IntervalMap<Lease*> copies;
  IntervalSet committing;
  IntervalSet done;
  IntervalSet failed;

  IntervalMap<Trouble> troubles;
  // The first failures; the journal has all.
  IntervalMap<TaskFailure> failures;

  TaskDuration duration;
  // Where the next stretch begins.
  int64_t cursor = 0;
  // Slot time that it was given, in microseconds, on the scale of its priority
  // (stride scheduling: Waldspurger and Weihl 1995).
  int64_t pass = 0;
  // What delivered tasks took beyond what was charged for them, or less: is
  // charged with the next lease.
  Nanos owed = 0;
  // `pass` as it is in the queue; nothing while not in the queue.
  std::optional<int64_t> queued_pass;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_JOB_RECORD_H_
