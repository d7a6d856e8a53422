#ifndef INTERNODE_SCHEDULER_JOURNAL_JOURNAL_H_
#define INTERNODE_SCHEDULER_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "scheduler/core/failure.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/job_policies.h"

// What the scheduler has to know after a restart, other than results: its jobs,
// their states, and the tasks that failed for good.

namespace internode::scheduler {

// A job, as the journal has it.
struct JournalJob {
  core::JobId job;
  // As the client gave it; may be empty.
  std::string name;
  // What was submitted, as bytes.
  std::string plan;
  int64_t num_tasks = 0;
  int priority = 0;
  core::JobPolicies policies;
  absl::Time submitted;

  core::JobState state = core::JobState::kQueued;
  // Why it failed; empty otherwise.
  std::string message;
  // When it first was running, and when it ended; InfinitePast: it has not.
  absl::Time started = absl::InfinitePast();
  absl::Time finished = absl::InfinitePast();
  // When its state last changed.
  int64_t num_done = 0;
  int64_t num_failed = 0;

  friend bool operator==(const JournalJob&, const JournalJob&) = default;
};

// ---- facts: what happened, and must not be forgotten ----

// A job was submitted; its state is the one it says.
struct JobAccepted {
  JournalJob job;
};

// A job's state changed, at `when`: sets `started` when it is first running,
// and `finished` to when it became terminal, or to nothing.
struct JobChanged {
  core::JobId job;
  core::JobState state = core::JobState::kQueued;
  // Why it failed; empty otherwise.
  std::string message = {};
  absl::Time when;
  int64_t num_done = 0;
  int64_t num_failed = 0;
};

// Tasks failed for good. Takes the place of a failure of the same first task.
struct TasksFailed {
  core::JobId job;
  core::TaskFailure failure;
};

// The failures of a job so far are void: its failed tasks run again.
struct FailuresVoided {
  core::JobId job;
};

// A job is forgotten, with all its failures.
struct JobErased {
  core::JobId job;
};

using Fact = std::variant<JobAccepted, JobChanged, TasksFailed, FailuresVoided,
                          JobErased>;

// Thread-compatible. Errors everywhere: kResourceExhausted (disk full),
// kUnavailable (locked, or the disk fails; try again), kPermissionDenied
// (read-only), kDataLoss (damaged).
class Journal {
 public:
  virtual ~Journal() = default;

  // How often the journal was opened, this time included.
  virtual uint64_t incarnation() const = 0;

  // A new id, larger than all before. An id that was committed is never given
  // again, even when its job is erased.
  virtual core::JobId NextJobId() = 0;

  // Makes all facts durable, in order, or, when it fails, none. Besides the
  // errors above: kNotFound (a fact, other than JobErased, about a job that is
  // not there), kAlreadyExists (JobAccepted of one that is),
  // kInvalidArgument (an id or number that cannot be stored).
  virtual absl::Status Commit(absl::Span<const Fact> facts) = 0;

  // All jobs, by id.
  virtual absl::StatusOr<std::vector<JournalJob>> Jobs() = 0;

  // Failures of a job that have tasks from `first_task` on, by first task,
  // `most` at the most. None for a job that is not there.
  virtual absl::StatusOr<std::vector<core::TaskFailure>> Failures(
      core::JobId job, int64_t first_task, int64_t most) = 0;

  // The jobs that ended before `time`, by id.
  virtual absl::StatusOr<std::vector<core::JobId>> FinishedBefore(
      absl::Time time) = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_JOURNAL_JOURNAL_H_
