#ifndef INTERNODE_CORE_FRAME_READER_H_
#define INTERNODE_CORE_FRAME_READER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/block_result.h"
#include "core/frame.h"
#include "core/frame_index.h"

namespace internode::core {

// Goes through the tasks of a frame, in order:
//
//   for (FrameReader reader(frame); reader.Next();) {
//     if (reader.failed()) { … reader.failure() … }
//     else reader.CopyTo(&result);
//   }
//
// The frame must outlive it. Costs O(1) memory. Thread-compatible.
class FrameReader {
 public:
  explicit FrameReader(const FrameView& frame);

  // Goes to the first, or next, task; false after the last.
  bool Next();

  // Of the current task:
  int64_t task() const { return task_; }
  int64_t num_pixels() const { return task_run_.num_pixels; }
  int64_t num_records() const { return num_records_; }
  // Whether it failed as a whole, and why. It has no records, and none of its
  // pixels has a status, then.
  bool failed() const { return task_run_.failed(); }
  absl::string_view failure() const;
  // Its records, in pixel order.
  absl::Span<const uint8_t> rows() const;
  // Puts what was encoded in the place of what `result` holds; nothing when
  // the task failed. Allocates for each of num_pixels(), which a caller that
  // does not trust the frame compares with the chunk grid first. Errors:
  // kInvalidArgument (`result` has records of another size).
  absl::Status CopyTo(BlockResult* result) const;

 private:
  // How far the listed pixels have been gone through.
  struct Position {
    PixelCursor pixels;
    PixelRun run = {};
    // Of `run`.
    int64_t left = 0;
  };
  // Takes pixels of one run, `most` at the most, off the front.
  static PixelRun Take(int64_t most, Position* position);
  void CopyFailed(int64_t count, FailureCursor* failures, FailureRun* failure,
                  int64_t pixel, BlockResult* result) const;

  const FrameView* const frame_;
  TaskCursor tasks_;
  TaskRun task_run_;
  // Tasks of `task_run_` after the current one.
  int64_t tasks_left_ = 0;
  int64_t task_;
  int64_t num_records_ = 0;
  // Records, and listed pixels, before the current task.
  int64_t first_record_ = 0;
  int64_t first_pixel_ = 0;
  // Where the current task's pixels begin, and where they end.
  Position begin_;
  Position end_;
  // From the first run of failures that ends after the task begins.
  FailureCursor failures_;
  FailureRun failure_;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_FRAME_READER_H_
