#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/frame.h"
#include "core/frame_index.h"

// SliceFrame. It works on the runs of the index, so that it costs what the
// runs cost, whatever number of tasks and pixels they stand for.

namespace internode::core {
namespace {

// Where `run`, which begins at `begin`, meets `within`.
Interval Overlap(int64_t begin, int64_t size, Interval within) {
  return {std::max(begin, within.begin), std::min(begin + size, within.end)};
}

class Slice {
 public:
  Slice(const FrameView& frame, Interval tasks)
      : frame_(frame), tasks_(tasks) {}

  std::string Finish() {
    CopyTasks();
    CopyPixels();
    CopyFailures();
    const int64_t record_bytes = frame_.record_bytes();
    const absl::string_view rows = frame_.bytes().substr(
        static_cast<size_t>(kFrameHeaderBytes + records_.begin * record_bytes),
        static_cast<size_t>(records_.size() * record_bytes));
    std::string bytes;
    bytes.reserve(static_cast<size_t>(kFrameHeaderBytes + index_.max_bytes()) +
                  rows.size());
    bytes.resize(static_cast<size_t>(kFrameHeaderBytes));
    bytes.append(rows.data(), rows.size());
    index_.Finish(&bytes);
    SealFrame({.tasks = tasks_,
               .num_pixels = num_pixels_,
               .num_records = records_.size(),
               .record_bytes = record_bytes},
              &bytes);
    return bytes;
  }

 private:
  void CopyTasks() {
    TaskCursor cursor(frame_.index().tasks);
    TaskRun run;
    int64_t first_pixel = 0;
    for (int64_t task = frame_.tasks().begin;
         task < tasks_.end && cursor.Next(&run); task += run.num_tasks) {
      const Interval kept = Overlap(task, run.num_tasks, tasks_);
      if (kept.begin < kept.end) AddTasks(run, kept, task, first_pixel);
      first_pixel += run.listed_pixels();
    }
  }

  // Adds the tasks `kept` of `run`, whose first task is `task`, and first
  // listed pixel `first_pixel`.
  void AddTasks(TaskRun run, Interval kept, int64_t task, int64_t first_pixel) {
    const int64_t listed = run.failed() ? 0 : run.num_pixels;
    if (kept.begin == tasks_.begin) {
      pixels_.begin = first_pixel + (kept.begin - task) * listed;
    }
    pixels_.end = first_pixel + (kept.end - task) * listed;
    run.num_tasks = kept.size();
    if (run.failed()) {
      run.message = index_.TaskMessage(
          frame_.index().task_messages[static_cast<size_t>(run.message)]);
    }
    num_pixels_ += run.num_tasks * run.num_pixels;
    index_.AddTasks(run);
  }

  void CopyPixels() {
    PixelCursor cursor(frame_.index().pixels);
    PixelRun run;
    for (int64_t pixel = 0; pixel < pixels_.end && cursor.Next(&run);) {
      const Interval kept = Overlap(pixel, run.num_pixels, pixels_);
      if (kept.begin < kept.end) {
        records_.end += kept.size() * run.num_records;
        index_.AddPixels({.status = run.status,
                          .num_records = run.num_records,
                          .num_pixels = kept.size()});
      }
      // Those of the pixels before the slice.
      const int64_t before =
          std::clamp(pixels_.begin - pixel, int64_t{0}, run.num_pixels) *
          run.num_records;
      records_.begin += before;
      records_.end += before;
      pixel += run.num_pixels;
    }
  }

  void CopyFailures() {
    FailureCursor cursor(frame_.index().failures);
    FailureRun run;
    while (cursor.Next(&run) && run.begin < pixels_.end) {
      const Interval kept = Overlap(run.begin, run.end - run.begin, pixels_);
      if (kept.begin >= kept.end) continue;
      const absl::string_view message =
          frame_.index().pixel_messages[static_cast<size_t>(run.message)];
      index_.AddFailures({.begin = kept.begin - pixels_.begin,
                          .end = kept.end - pixels_.begin,
                          .message = index_.PixelMessage(message)});
    }
  }

  const FrameView& frame_;
  const Interval tasks_;
  // Of the slice, counted from the start of the frame: the listed pixels, and
  // the records.
  Interval pixels_;
  Interval records_;
  // Of the slice, listed or not.
  int64_t num_pixels_ = 0;
  FrameIndexWriter index_;
};

}  // namespace

absl::StatusOr<std::string> SliceFrame(const FrameView& frame, Interval tasks) {
  if (tasks.begin >= tasks.end || tasks.begin < frame.tasks().begin ||
      tasks.end > frame.tasks().end) {
    return absl::InvalidArgumentError(
        absl::StrCat("tasks [", tasks.begin, ", ", tasks.end,
                     ") are no part of a frame that holds [",
                     frame.tasks().begin, ", ", frame.tasks().end, ")"));
  }
  return Slice(frame, tasks).Finish();
}

}  // namespace internode::core
