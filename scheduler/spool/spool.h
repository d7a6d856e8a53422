#ifndef INTERNODE_SCHEDULER_SPOOL_SPOOL_H_
#define INTERNODE_SCHEDULER_SPOOL_SPOOL_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "base/mutex.h"
#include "core/frame.h"
#include "core/interval_set.h"
#include "scheduler/spool/file_system.h"
#include "scheduler/spool/job_spool.h"

namespace internode::scheduler {

struct SpoolOptions {
  Durability durability = Durability::kFsync;
  // A segment takes frames until it has so many bytes.
  int64_t segment_bytes = int64_t{256} << 20;
  // Nothing is written while the file system has less room than this: the
  // journal, and whatever else shares the disk, need some.
  int64_t reserve_bytes = int64_t{256} << 20;
};

// Whether the spool takes frames.
struct SpoolHealth {
  enum class State {
    kOk,
    // No room.
    kFull,
    // Writing or syncing failed for another reason.
    kFailing,
  };

  State state = State::kOk;
  // Empty when kOk; one line.
  std::string reason;

  bool ok() const { return state == State::kOk; }
};

// The results of all jobs on disk: a folder per job (docs/spool-format.md). A
// task is done if, and only if, its frame is in here.
//
// One thread at a time, the writer's, calls what is listed under *Writing*; the
// rest is thread-safe. A frame that was appended counts, and can be read, after
// the next Commit; what Commit reports as failed was never there, and must be
// sent again. An error never leaves part of a frame in the spool.
class Spool {
 public:
  // A job of which Commit failed.
  struct CommitFailure {
    uint64_t job = 0;
    absl::Status status;
  };

  // Opens the spool in `folder`, which is created if need be, and finishes what
  // Forget began. `file_system` must outlive it. Errors: the file system's.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(FileSystem* file_system,
                                                     std::string folder,
                                                     SpoolOptions options);

  // ---- Writing ----

  // The jobs that have a folder and were neither recovered nor created.
  std::vector<uint64_t> JobsToRecover() const;

  // Reads what an earlier process left of the job; returns what is lost of it.
  // A job without a folder gets one. Errors: kAlreadyExists (it is open), and
  // as JobSpool::Recover. Thread-safe, for different jobs.
  absl::StatusOr<std::vector<SpoolDamage>> Recover(uint64_t job);

  // Begins a new job. Errors: kAlreadyExists, and the file system's.
  absl::Status Create(uint64_t job);

  // As JobSpool::Append. Errors: kNotFound (no such job), kResourceExhausted
  // (no room), and the file system's; health() is then not ok.
  absl::StatusOr<std::vector<internode::core::Interval>> Append(
      uint64_t job, const internode::core::FrameView& frame,
      absl::Span<const internode::core::Interval> wanted = {});

  // Makes all that was appended durable, with one sync per file, and visible.
  // Returns the jobs of which that failed; health() is then not ok.
  std::vector<CommitFailure> Commit();

  // Tries whether the disk can be written: call it now and then while health()
  // is not ok. Returns health().ok().
  bool Probe();

  // Deletes all of the job: the first part, which takes no longer for a large
  // job than for a small one, and then the second, which is thread-safe.
  // Readers get kNotFound, sooner or later. What an end of the process
  // interrupts is finished by Open. Errors: the file system's; none if there is
  // no such job.
  absl::Status Forget(uint64_t job);
  absl::Status DeleteForgotten(uint64_t job);

  // ---- Reading ----

  // The job's spool, or null.
  std::shared_ptr<const JobSpool> Find(uint64_t job) const;
  SpoolHealth health() const;
  // Of all jobs.
  int64_t disk_bytes() const;
  // On the file system. Errors: the file system's.
  absl::StatusOr<int64_t> FreeBytes() const;

 private:
  Spool(FileSystem* file_system, std::string folder, SpoolOptions options)
      : file_system_(file_system),
        folder_(std::move(folder)),
        options_(options) {}

  JobSpool::Options JobOptions() const;
  std::string JobFolder(uint64_t job) const;
  std::shared_ptr<JobSpool> FindMutable(uint64_t job) const;
  absl::Status RemoveFolder(const std::string& folder);
  absl::Status SyncFolder(const std::string& folder);
  // Takes `bytes` of the room that is left.
  absl::Status Reserve(int64_t bytes);
  absl::Status WriteProbe();
  // Remembers how the last attempt went; returns `status`.
  absl::Status Note(const absl::Status& status);

  // Constant after construction.
  FileSystem* const file_system_;
  const std::string folder_;
  const SpoolOptions options_;

  // The writer's.
  std::set<uint64_t> appended_;
  // May be written before the room is looked at again.
  std::atomic<int64_t> allowance_ = 0;

  mutable Mutex mu_;
  std::map<uint64_t, std::shared_ptr<JobSpool>> jobs_ ABSL_GUARDED_BY(mu_);
  SpoolHealth health_ ABSL_GUARDED_BY(mu_);
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SPOOL_H_
