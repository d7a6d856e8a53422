#ifndef INTERNODE_WORKER_ENGINE_MESSAGES_H_
#define INTERNODE_WORKER_ENGINE_MESSAGES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "core/interval_set.h"
#include "core/job_spec.h"
#include "core/planned_job.h"

// What the engine and the scheduler say to each other, as values: the messages
// of proto/internode/v1/worker.proto, which says what each of them means.

namespace internode::worker {

using JobId = uint64_t;
using LeaseId = uint64_t;

// What a job is, as the scheduler tells it: every worker plans it again.
struct JobRequest {
  core::JobSpec spec;
  // Of the plan that the job was submitted with.
  uint64_t fingerprint = 0;
  // That plan: what the scheduler cuts into tasks, and holds results against.
  // Null: not known.
  std::shared_ptr<const core::PlannedJob> submitted;
};

// ---- from the scheduler ----

struct Lease {
  JobId job = 0;
  LeaseId lease = 0;
  core::Interval tasks;
  // With the first lease of a job in a connection; else null.
  std::shared_ptr<const JobRequest> request;
  bool front = false;
  bool alone = false;
};

struct TakeBack {
  JobId job = 0;
  LeaseId lease = 0;
  core::Interval tasks;
};

struct Revoke {
  JobId job = 0;
  LeaseId lease = 0;
  std::vector<core::Interval> tasks;
};

struct OfferAnswer {
  JobId job = 0;
  LeaseId lease = 0;
  std::vector<core::Interval> wanted;
  // If anything is wanted.
  std::shared_ptr<const JobRequest> request;
};

// ---- to the scheduler ----

struct Offer {
  JobId job = 0;
  // Ascending.
  std::vector<core::Interval> tasks;

  friend bool operator==(const Offer&, const Offer&) = default;
};

struct TasksFailed {
  JobId job = 0;
  LeaseId lease = 0;
  core::Interval tasks;
  std::string message;
  bool retryable = false;

  friend bool operator==(const TasksFailed&, const TasksFailed&) = default;
};

struct LeaseReturned {
  JobId job = 0;
  LeaseId lease = 0;
  // Ascending.
  std::vector<core::Interval> tasks;

  friend bool operator==(const LeaseReturned&, const LeaseReturned&) = default;
};

struct Paused {
  friend bool operator==(Paused, Paused) = default;
};

struct Resumed {
  friend bool operator==(Resumed, Resumed) = default;
};

struct Draining {
  std::string reason;

  friend bool operator==(const Draining&, const Draining&) = default;
};

struct FrameToSend {
  JobId job = 0;
  LeaseId lease = 0;
  // Counts up from 1 within a connection.
  uint64_t sequence = 0;
  core::Interval tasks;
  // How long slots were busy with the tasks, in sum.
  absl::Duration busy;
  std::shared_ptr<const std::string> bytes;
};

using Outgoing = std::variant<TasksFailed, LeaseReturned, Paused, Resumed,
                              Draining, FrameToSend>;

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_MESSAGES_H_
