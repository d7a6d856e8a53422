#ifndef INTERNODE_CORE_FRAME_INDEX_H_
#define INTERNODE_CORE_FRAME_INDEX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/block_result.h"

// The index of a frame: what it holds besides the records, as runs of equal
// neighbours. docs/frame-format.md has the bytes.

namespace internode::core {

// Longer messages are cut.
inline constexpr int64_t kMaxFailureMessageBytes = 4096;

// Consecutive tasks of equally many pixels, or that failed alike.
struct TaskRun {
  int64_t num_tasks = 0;
  // Of each task.
  int64_t num_pixels = 0;
  // The number of a task message when they failed as a whole; else -1.
  int64_t message = -1;

  bool failed() const { return message >= 0; }
  // Pixels of the run that have a status of their own: none when it failed.
  int64_t listed_pixels() const {
    return failed() ? 0 : num_tasks * num_pixels;
  }
};

// Consecutive pixels that became the same. Pixels of tasks that failed as a
// whole are not listed.
struct PixelRun {
  PixelStatus status = PixelStatus::kNotProcessed;
  // Of each pixel.
  uint32_t num_records = 0;
  int64_t num_pixels = 0;

  int64_t total_records() const { return num_records * num_pixels; }
};

// Consecutive pixels, among the listed ones, that failed with one message.
struct FailureRun {
  int64_t begin = 0;
  int64_t end = 0;
  // The number of a pixel message.
  int64_t message = 0;
};

// Different messages, numbered from 0 in the order of their first use.
// Thread-compatible.
class MessageTable {
 public:
  int64_t Number(absl::string_view message);
  // At least the bytes that AppendTo appends.
  int64_t max_bytes() const { return static_cast<int64_t>(bytes_.size()) + 9; }
  void AppendTo(std::string* bytes) const;

 private:
  std::map<std::string, int64_t, std::less<>> numbers_;
  std::string bytes_;
};

// Writes the index of a frame, run after run. Equal neighbours are merged, so
// that equal results give equal bytes. Thread-compatible.
class FrameIndexWriter {
 public:
  // The number that stands for `message` in a TaskRun, or in a FailureRun.
  int64_t TaskMessage(absl::string_view message) {
    return task_messages_.Number(message);
  }
  int64_t PixelMessage(absl::string_view message) {
    return pixel_messages_.Number(message);
  }
  void AddTasks(const TaskRun& run);
  void AddPixels(const PixelRun& run);
  // After all runs of failures before it.
  void AddFailures(const FailureRun& run);

  // At least the bytes of the index.
  int64_t max_bytes() const;
  // At most what one more task with these adds to max_bytes().
  static int64_t MaxTaskBytes(int64_t pixels, int64_t failures);

  // Appends the index to `bytes` and starts anew.
  void Finish(std::string* bytes);

 private:
  void FlushTasks();
  void FlushPixels();
  void FlushFailures();

  MessageTable task_messages_;
  MessageTable pixel_messages_;
  // Of each part: the bytes, and the run that may still grow.
  std::string tasks_;
  TaskRun task_run_;
  std::string pixels_;
  PixelRun pixel_run_;
  std::string failures_;
  FailureRun failure_run_;
  // Where the last flushed run of failures ended.
  int64_t failures_end_ = 0;
};

// The parts of an index that was checked; the bytes belong to the frame.
struct FrameIndex {
  // What the index must agree with.
  struct Counts {
    int64_t tasks = 0;
    // Of all tasks.
    int64_t pixels = 0;
    int64_t records = 0;
  };
  // Checks `bytes`, which may come from anywhere. Errors: kDataLoss.
  static absl::StatusOr<FrameIndex> Parse(absl::string_view bytes,
                                          const Counts& counts);

  std::vector<absl::string_view> task_messages;
  absl::string_view tasks;
  absl::string_view pixels;
  std::vector<absl::string_view> pixel_messages;
  absl::string_view failures;
};

// Read the runs of one part of an index, first to last. Next returns false at
// the end of the bytes, or where they make no sense (in an index that was
// checked: never). Values; thread-compatible.

class TaskCursor {
 public:
  explicit TaskCursor(absl::string_view bytes) : rest_(bytes) {}
  bool Next(TaskRun* run);
  absl::string_view rest() const { return rest_; }

 private:
  absl::string_view rest_;
};

class PixelCursor {
 public:
  explicit PixelCursor(absl::string_view bytes) : rest_(bytes) {}
  bool Next(PixelRun* run);
  absl::string_view rest() const { return rest_; }

 private:
  absl::string_view rest_;
};

class FailureCursor {
 public:
  explicit FailureCursor(absl::string_view bytes) : rest_(bytes) {}
  bool Next(FailureRun* run);
  absl::string_view rest() const { return rest_; }

 private:
  absl::string_view rest_;
  int64_t end_ = 0;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_FRAME_INDEX_H_
