#ifndef INTERNODE_SCHEDULER_SPOOL_JOB_SPOOL_H_
#define INTERNODE_SCHEDULER_SPOOL_JOB_SPOOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "base/mutex.h"
#include "core/frame.h"
#include "core/interval_set.h"
#include "scheduler/spool/file_system.h"
#include "scheduler/spool/segment_scan.h"
#include "scheduler/spool/segment_writer.h"
#include "scheduler/spool/spool_index.h"

namespace internode::scheduler {

// What was acknowledged survives the end of the process in both cases.
enum class Durability {
  // … and a failure of the machine.
  kFsync,
  // … and is in the hands of the operating system.
  kOs,
};

// "fsync", "os". Errors: kInvalidArgument.
absl::StatusOr<Durability> ParseDurability(absl::string_view text);

// The spool of one job: a folder of segment files. One thread at a time, the
// writer's, calls what is listed under *Writing*; the rest is thread-safe.
class JobSpool {
 public:
  struct Options {
    Durability durability = Durability::kFsync;
    // A segment takes frames until it has so many bytes.
    int64_t segment_bytes = int64_t{256} << 20;
  };

  // What Recover found.
  struct Recovery {
    std::unique_ptr<JobSpool> spool;
    // In file order.
    std::vector<SpoolDamage> damages;
  };

  // Begins the spool of a new job in `folder`, which is there and empty.
  JobSpool(FileSystem* file_system, std::string folder, uint64_t job,
           const Options& options);

  // Goes on with the spool that an earlier process left in `folder`: reads all
  // of it, cuts torn tails off, makes what is whole durable, and enters it. The
  // first of two frames of one task counts. Errors: the file system's, when it
  // cannot list the folder or sync; what is wrong with a file is damage.
  static absl::StatusOr<Recovery> Recover(FileSystem* file_system,
                                          std::string folder, uint64_t job,
                                          const Options& options);

  // ---- Writing ----

  // Writes those tasks of `frame` that lie in `wanted` (ascending; empty: all)
  // and are not in the spool, or on their way into it, already; returns what
  // they are. The result counts, and is read, after Commit. When it fails,
  // nothing of the frame is in the spool. Errors: the file system's.
  absl::StatusOr<std::vector<internode::core::Interval>> Append(
      const internode::core::FrameView& frame,
      absl::Span<const internode::core::Interval> wanted = {});

  // Whether there are frames that Commit would commit.
  bool has_appended() const { return !appended_.empty(); }

  // Makes what was appended durable, then visible. When it fails, none of what
  // was appended since the last time is in the spool. Errors: the file
  // system's.
  absl::Status Commit();

  // ---- Reading ----

  // Committed tasks.
  internode::core::IntervalSet Done() const;
  int64_t num_done() const;
  // Where `task`, and those after it, lie; nothing if it is not committed.
  std::optional<SpoolIndex::Entry> Find(int64_t task) const;
  // The file of a segment, opened once for all who hold it. Errors: the file
  // system's.
  absl::StatusOr<std::shared_ptr<const ReadFile>> OpenSegment(
      uint32_t segment) const;
  std::string SegmentPath(uint32_t segment) const;
  // Of all segment files.
  int64_t disk_bytes() const;
  int64_t num_frames() const;

 private:
  struct Appended {
    internode::core::Interval tasks;
    FramePosition position;
  };

  absl::Status AppendPart(const internode::core::FrameView& frame,
                          internode::core::Interval tasks);
  absl::Status WriteFrame(absl::string_view frame,
                          internode::core::Interval tasks);
  // Makes room for a frame in the segment that is written.
  absl::Status NextSegment(int64_t frame_bytes);
  void TakeBack(size_t num_appended);
  absl::Status SyncSegments();
  absl::Status RecoverSegment(uint32_t segment, SpoolIndex* index,
                              std::vector<SpoolDamage>* damages);
  // Of the segments that are in the folder.
  int64_t MeasureFolder() const;
  void UpdateDiskBytes();

  // Constant after construction.
  FileSystem* const file_system_;
  const std::string folder_;
  const uint64_t job_;
  const Options options_;

  // The writer's.
  uint32_t next_segment_ = 1;
  std::unique_ptr<SegmentWriter> writer_;
  // Full, but not durable.
  std::vector<std::unique_ptr<SegmentWriter>> full_;
  bool folder_changed_ = false;
  std::vector<Appended> appended_;
  // Committed or appended.
  internode::core::IntervalSet taken_;
  // Of the segments that are not written any more.
  int64_t closed_bytes_ = 0;

  mutable Mutex mu_;
  SpoolIndex index_ ABSL_GUARDED_BY(mu_);
  int64_t disk_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  mutable std::map<uint32_t, std::weak_ptr<const ReadFile>> open_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_JOB_SPOOL_H_
