#ifndef INTERNODE_SCHEDULER_SPOOL_SEGMENT_WRITER_H_
#define INTERNODE_SCHEDULER_SPOOL_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "scheduler/spool/file_system.h"
#include "scheduler/spool/segment_format.h"

namespace internode::scheduler {

// Writes one segment file, frame after frame. Thread-compatible.
class SegmentWriter {
 public:
  // Creates the segment in `folder`. When it fails, no file is left, unless
  // the file system refuses even that. Errors: the file system's.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(
      FileSystem* file_system, const std::string& folder,
      const SegmentHeader& header);

  uint32_t segment() const { return segment_; }
  // Of the file, up to the last frame that was appended.
  int64_t size() const { return size_; }
  // Whether frames can be appended.
  bool usable() const { return usable_; }

  // Appends a frame and returns its offset. When it fails, what was written of
  // the frame is cut off; if that fails too, the segment is not usable any
  // more. Errors: the file system's.
  absl::StatusOr<int64_t> Append(absl::string_view frame);

  // Makes all frames survive a failure of the machine. When it fails, none of
  // those since the last time does: what the kernel could not write it has
  // forgotten. They are cut off, and the segment is not usable any more.
  absl::Status Sync();

 private:
  SegmentWriter(std::unique_ptr<AppendFile> file, uint32_t segment)
      : file_(std::move(file)), segment_(segment) {}

  absl::Status Write(absl::string_view bytes);
  void CutBackTo(int64_t size);

  const std::unique_ptr<AppendFile> file_;
  const uint32_t segment_;
  int64_t size_ = 0;
  int64_t synced_size_ = 0;
  bool usable_ = true;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SEGMENT_WRITER_H_
