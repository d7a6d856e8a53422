#ifndef INTERNODE_SCHEDULER_ENGINE_JOB_ENTRY_H_
#define INTERNODE_SCHEDULER_ENGINE_JOB_ENTRY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "internode/v1/client.pb.h"
#include "scheduler/core/ids.h"
#include "scheduler/engine/links.h"
#include "scheduler/engine/submitted_job.h"
#include "scheduler/spool/job_spool.h"

// What the engine knows of a job, beside what the core does. Plain values,
// owned by the engine's strand.

namespace internode::scheduler {

// Called once, on the engine's strand; must not block.
template <typename Response>
using Reply = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

// What comes next of a job's results.
struct FetchStep {
  struct Failure {
    internode::core::Interval tasks;
    v1::TaskFailure failure;
  };

  core::JobId job;
  // The frames of these tasks are in the spool; or, if empty,
  internode::core::Interval ready;
  std::shared_ptr<const JobSpool> spool;
  // these tasks failed; or, if empty, there is nothing more to come.
  std::vector<Failure> failures;
  // The tasks that are wanted end here.
  int64_t end = 0;
};

struct JobEntry {
  struct Watch {
    std::shared_ptr<JobWatcher> watcher;
    // Not told of a change before.
    absl::Time next;
    bool changed = true;
  };
  struct Waiter {
    uint64_t id = 0;
    int64_t task = 0;
    int64_t end = 0;
    bool done_only = false;
    Reply<FetchStep> reply;
  };

  core::JobId id;
  SubmittedJob job;
  // Its submission is among the facts.
  bool accepted = false;
  // … and durable: others than who submitted it may know.
  bool durable = false;
  // It had ended before the scheduler was started, and its frames have not been
  // read: the core does not know it, and `stored_…` says what the journal does.
  bool recovering = false;
  core::JobState stored_state = core::JobState::kQueued;
  int64_t stored_done = 0;
  int64_t stored_failed = 0;
  // Why its frames cannot be read.
  absl::Status unreadable;
  absl::Time submitted;
  absl::Time started = absl::InfinitePast();
  // The start is among the facts.
  bool start_collected = false;
  absl::Time ended = absl::InfinitePast();
  // Not among the active jobs any more.
  bool counted_out = false;
  // Why it was cancelled; or what the journal said.
  std::string reason;

  std::vector<Reply<v1::SubmitJobResponse>> submitters;
  std::map<uint64_t, Watch> watches;
  std::vector<Waiter> waiters;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_JOB_ENTRY_H_
