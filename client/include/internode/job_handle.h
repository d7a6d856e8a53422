#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_HANDLE_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_HANDLE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "internode/executor.h"
#include "internode/job.h"

// Jobs that a scheduler runs, and that outlive the program:
//
//   auto executor = internode::SetupExecutor({.address = "127.0.0.1:8786"});
//   auto job = internode::Job::Open(options, executor->get());
//   auto handle = internode::Submit(executor->get(), *job);
//   std::cout << handle->id();      // j000017
//   auto status = handle->Wait();
//   handle->Fetch(&sink);
//
// Every call goes on by itself when the connection breaks or the scheduler is
// started anew. Errors of all calls: kUnavailable when the scheduler stays
// away; kDeadlineExceeded; kCancelled; kNotFound (no such job);
// kFailedPrecondition after the executor was closed.

namespace internode {

namespace client {
class Connection;
}

enum class JobState {
  // No task has been begun.
  kQueued = 1,
  kRunning = 2,
  // Every task is done.
  kCompleted = 3,
  // Every task is done or failed, some failed.
  kCompletedWithFailures = 4,
  // Stopped at its first failure, or could not run at all.
  kFailed = 5,
  kCancelled = 6,
};

// "queued", "running", "completed", "completed_with_failures", "failed",
// "cancelled".
absl::string_view JobStateName(JobState state);

struct JobStatus {
  std::string id;
  std::string name;
  JobState state = JobState::kQueued;
  std::string function;
  std::string cube_path;
  int priority = 0;
  int64_t tasks = 0;
  int64_t tasks_done = 0;
  int64_t tasks_failed = 0;
  // Given to workers and not done.
  int64_t tasks_leased = 0;
  // Of all tasks.
  int64_t pixels = 0;
  // Of one task, in the mean; 0: not known yet.
  std::chrono::nanoseconds task_time{0};
  // What its results take on the scheduler's disk.
  int64_t spool_bytes = 0;
  // Nanoseconds since 1970-01-01 UTC; 0: not yet.
  int64_t submitted_ns = 0;
  int64_t started_ns = 0;
  int64_t ended_ns = 0;
  // Why it failed, was cancelled, or waits.
  std::string message;

  bool ended() const { return state >= JobState::kCompleted; }
};

// How a job is run.
struct JobPolicy {
  // Higher first; equal ones share fairly. -100 to 100.
  int priority = 0;
  // How often a task that fails for a reason that may pass is run again. 0 to
  // 100; none: the scheduler's choice, 3.
  std::optional<int> max_retries;
  // Stop the job at its first failed task.
  bool fail_fast = false;
  // For people; at most 256 bytes.
  std::string name;
  // A worker process that runs one task for longer is ended, as if the task
  // had crashed it: after three times it fails. More than 0; none: for ever.
  std::optional<std::chrono::nanoseconds> task_timeout;
};

// A task that failed for good.
struct TaskFailure {
  int64_t task = 0;
  // "y=0:100, x=200:300".
  std::string location;
  std::string message;
  int attempts = 0;
  // The process died while running it, three times.
  bool poisonous = false;
  // What happened at each attempt, oldest first.
  std::vector<std::string> history;
};

struct TaskFailures {
  std::vector<TaskFailure> failures;
  // Of the job, however many are listed.
  int64_t total = 0;
};

// Why a job, or a task, waits or died.
struct Explanation {
  // Sentences, the most important first.
  std::vector<std::string> reasons;
  // Of a task: what happened to it, oldest first.
  std::vector<std::string> history;
};

// How long a call goes on.
struct CallOptions {
  // None: until it is through.
  std::optional<std::chrono::system_clock::time_point> deadline;
  // Ends the call when it becomes true; the job goes on.
  const std::atomic<bool>* cancel = nullptr;
};

struct FetchOptions {
  // The tasks [first_task, end_task); -1: to the last.
  int64_t first_task = 0;
  int64_t end_task = -1;
  // End at the first task that is neither done nor failed, instead of waiting
  // for it.
  bool done_only = false;
  CallOptions call;
};

// Work that goes on in a thread of its own. Thread-safe.
class Background {
 public:
  using Work = std::function<void(const std::atomic<bool>* cancel)>;

  explicit Background(Work work);
  // Cancels the work, and waits until it has ended.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Ends the work soon; its last callback says kCancelled.
  void Cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A job of a scheduler. Copies are the same job. Thread-safe.
class JobHandle {
 public:
  const std::string& id() const { return id_; }

  // The job as it was planned: asked of the scheduler once.
  absl::StatusOr<Job> Plan(const CallOptions& options = {}) const;
  absl::StatusOr<JobStatus> Status(const CallOptions& options = {}) const;

  // Calls `on_change` now, at every change, at most ten times a second, and
  // at the end of the job, which ends the call; or until it returns false.
  absl::Status Watch(const std::function<bool(const JobStatus&)>& on_change,
                     const CallOptions& options = {}) const;
  // The same in a thread of its own; `on_end` is the last call. Neither may
  // destroy what is returned.
  std::unique_ptr<Background> StartWatch(
      std::function<bool(const JobStatus&)> on_change,
      std::function<void(const absl::Status&)> on_end) const;

  // Until the job has ended, however it did.
  absl::StatusOr<JobStatus> Wait(const CallOptions& options = {}) const;

  // Gives the results to `sink`, in chunk order, as they become done; chunks
  // that failed as such. Returns the first task that was not delivered: the
  // next Fetch can begin there. Errors: the sink's; kCancelled and
  // kFailedPrecondition when the job ended before the range was through;
  // kDataLoss for results that do not fit the plan.
  absl::StatusOr<int64_t> Fetch(JobSink* sink,
                                const FetchOptions& options = {}) const;
  // The same in a thread of its own.
  std::unique_ptr<Background> StartFetch(
      JobSink* sink, const FetchOptions& options,
      std::function<void(const absl::StatusOr<int64_t>&)> on_end) const;

  // Ends the job; its workers are free at once. What is done stays.
  absl::StatusOr<JobStatus> Cancel(const std::string& reason = "",
                                   const CallOptions& options = {}) const;
  // Queues the failed tasks of an ended job again.
  absl::StatusOr<JobStatus> Retry(const CallOptions& options = {}) const;
  // Deletes an ended job and its results.
  absl::Status Forget(const CallOptions& options = {}) const;
  // Why the job, or one task of it, waits or died.
  absl::StatusOr<Explanation> Explain(
      std::optional<int64_t> task = std::nullopt,
      const CallOptions& options = {}) const;
  // At most `limit` (1 to 10,000) of those of the tasks from `from_task` on.
  absl::StatusOr<TaskFailures> Failures(int64_t limit = 1000,
                                        int64_t from_task = 0,
                                        const CallOptions& options = {}) const;

  // For this library.
  JobHandle(std::shared_ptr<client::Connection> connection, std::string id,
            std::optional<Job> plan);
  const std::shared_ptr<client::Connection>& connection() const {
    return connection_;
  }

 private:
  struct PlanOnce;

  std::shared_ptr<client::Connection> connection_;
  std::string id_;
  std::shared_ptr<PlanOnce> plan_;
};

// Makes `job` durable at the executor's scheduler and queues it: one message,
// whatever its size. Errors: kUnimplemented for an executor of this process.
absl::StatusOr<JobHandle> Submit(Executor* executor, const Job& job,
                                 const JobPolicy& policy = {},
                                 const CallOptions& options = {});
// Opens the job with the executor, and submits it.
absl::StatusOr<JobHandle> Submit(Executor* executor, const JobOptions& job,
                                 const JobPolicy& policy = {},
                                 const CallOptions& options = {});

// The job called `id`. Errors: kNotFound.
absl::StatusOr<JobHandle> FindJob(Executor* executor, const std::string& id,
                                  const CallOptions& options = {});

// Oldest first.
absl::StatusOr<std::vector<JobStatus>> ListJobs(
    Executor* executor, const CallOptions& options = {});

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_HANDLE_H_
