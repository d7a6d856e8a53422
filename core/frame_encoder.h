#ifndef INTERNODE_CORE_FRAME_ENCODER_H_
#define INTERNODE_CORE_FRAME_ENCODER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/block_result.h"
#include "core/frame.h"
#include "core/frame_index.h"

namespace internode::core {

// Builds frames from results, task after task. Equal results give equal bytes.
// Thread-compatible.
class FrameEncoder {
 public:
  // `first_task` >= 0. Every record has `record_bytes` bytes, at most
  // RecordSchema::kMaxRecordBytes.
  FrameEncoder(int64_t first_task, int64_t record_bytes);

  // Adds the results of the next task. Errors, after which the frame is as it
  // was: kInvalidArgument (records of another size, or of a pixel that is not
  // finished), kResourceExhausted (they do not fit into the frame: Finish, and
  // add them to the next one; if that is empty, they fit into none).
  absl::Status Append(const BlockResult& result);

  // As Append; clears `result` where that succeeds. A result that makes up most
  // of its frame is not copied: its memory becomes the frame's.
  absl::Status AppendAndClear(BlockResult* result);

  // Adds the next task as failed as a whole: its block, of `num_pixels`
  // pixels, could not be read, or it killed its workers. Errors: as Append.
  absl::Status AppendFailedTask(int64_t num_pixels, absl::string_view message);

  // What the frame has so far.
  Interval tasks() const { return tasks_; }
  int64_t num_records() const { return num_records_; }
  // At least the size of the frame, were it finished now.
  int64_t frame_bytes() const;

  // Begins the frame with `first_task` >= 0 instead, and keeps the memory. It
  // has no task yet.
  void BeginWith(int64_t first_task) { tasks_ = {first_task, first_task}; }

  // Returns the frame, and begins the next one with the task after it. Errors:
  // kFailedPrecondition (it has no task).
  absl::StatusOr<std::string> Finish();

 private:
  absl::Status CheckRoom(int64_t pixels, int64_t records,
                         int64_t index_bytes) const;
  absl::Status Check(const BlockResult& result) const;
  // All of it but its records.
  void Add(const BlockResult& result);
  void AddPixels(const BlockResult& result);
  void AddFailures(const BlockResult& result);

  const int64_t record_bytes_;
  Interval tasks_;
  int64_t num_pixels_ = 0;
  // Without the pixels of tasks that failed as a whole.
  int64_t num_listed_pixels_ = 0;
  int64_t num_records_ = 0;
  FrameIndexWriter index_;
  // Room for the header, then the records.
  std::string bytes_;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_FRAME_ENCODER_H_
