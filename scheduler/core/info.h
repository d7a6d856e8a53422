#ifndef INTERNODE_SCHEDULER_CORE_INFO_H_
#define INTERNODE_SCHEDULER_CORE_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/event.h"
#include "scheduler/core/failure.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/job_policies.h"

// Snapshots of the core's state, for those who ask.

namespace internode::scheduler::core {

struct JobInfo {
  JobId job;
  JobState state = JobState::kQueued;
  int priority = 0;
  JobPolicies policies;
  // Why it failed; empty otherwise.
  std::string message;
  // The sum of the seven below.
  int64_t num_tasks = 0;
  // Wait for any worker; to be tried again; to be run alone, since a process
  // died while they were running.
  int64_t pending = 0;
  int64_t retrying = 0;
  int64_t suspect = 0;
  // Held by workers.
  int64_t leased = 0;
  // In frames that are not durable.
  int64_t committing = 0;
  int64_t done = 0;
  int64_t failed = 0;
  // How long a slot is busy with one task; zero while not known.
  absl::Duration task_duration;
};

struct WorkerInfo {
  WorkerId worker;
  Epoch epoch = 0;
  int slots = 0;
  bool paused = false;
  bool draining = false;
  // Reserved for tasks that are suspected of killing processes.
  bool alone = false;
  int64_t num_leases = 0;
  // Tasks that it holds and has not delivered.
  int64_t num_tasks = 0;
  // How long they should take it.
  absl::Duration queued;
  // Its speed, where the mean of all is 1000.
  int64_t speed_permille = 1000;
  absl::Time last_seen;
  // By its last heartbeat.
  std::vector<RunningTask> running;
};

struct ClusterInfo {
  int64_t num_workers = 0;
  int64_t num_slots = 0;
  // Workers with fewer tasks than slots.
  int64_t num_idle = 0;
  int64_t num_jobs = 0;
  int64_t num_active_jobs = 0;
  int64_t num_leases = 0;
  int64_t frames_committing = 0;
  // Ranges of tasks that are kept, of all kinds: memory is in proportion.
  int64_t num_runs = 0;
  // Why no lease is granted; empty when leases are granted.
  std::string spool_blocked;
};

enum class TaskState {
  kUnknown,
  kPending,
  kLeased,
  kCommitting,
  kDone,
  kFailed,
  // Not finished when the job ended.
  kAbandoned,
};

// Why a task, or a job, waits or died.
struct Explanation {
  // Of a task only.
  TaskState state = TaskState::kUnknown;
  // One line.
  std::string text;
  // What happened to the task, oldest first.
  std::vector<Happening> history = {};
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_INFO_H_
