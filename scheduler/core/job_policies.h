#ifndef INTERNODE_SCHEDULER_CORE_JOB_POLICIES_H_
#define INTERNODE_SCHEDULER_CORE_JOB_POLICIES_H_

#include <cstdint>

#include "absl/time/time.h"

namespace internode::scheduler::core {

// queued -> running -> one of the others, which are terminal. A terminal job
// that has failures can be set running again by TasksRetried.
enum class JobState {
  kQueued,
  kRunning,
  kCompleted,
  kCompletedWithFailures,
  kFailed,
  kCancelled,
};

inline bool IsTerminal(JobState state) {
  return state != JobState::kQueued && state != JobState::kRunning;
}

// How the job is treated; chosen when it is submitted.
struct JobPolicies {
  // How often a task that failed with a retryable error is run again.
  int max_retries = 2;
  // The job fails, and stops at once, when more tasks failed; -1: it goes on
  // however many fail.
  int64_t max_failed_tasks = -1;
  // A worker process that runs one task for longer is restarted, which counts
  // as a death of the process.
  absl::Duration task_timeout = absl::InfiniteDuration();
  // Tasks from one multiple of it to the next share what they read, and are
  // given to one worker process where that costs nothing else. At least 1.
  int64_t tasks_together = 1;

  friend bool operator==(const JobPolicies&, const JobPolicies&) = default;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_JOB_POLICIES_H_
