#include "core/frame_reader.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace internode::core {

FrameReader::FrameReader(const FrameView& frame)
    : frame_(&frame),
      tasks_(frame.index().tasks),
      task_(frame.tasks().begin - 1),
      begin_({.pixels = PixelCursor(frame.index().pixels)}),
      end_(begin_),
      failures_(frame.index().failures) {}

bool FrameReader::Next() {
  if (tasks_left_ == 0 && tasks_.rest().empty()) return false;
  first_record_ += num_records_;
  first_pixel_ += failed() ? 0 : num_pixels();
  begin_ = end_;
  if (tasks_left_ == 0) {
    tasks_.Next(&task_run_);
    tasks_left_ = task_run_.num_tasks;
  }
  --tasks_left_;
  ++task_;
  num_records_ = 0;
  for (int64_t left = failed() ? 0 : num_pixels(); left > 0;) {
    const PixelRun run = Take(left, &end_);
    num_records_ += run.total_records();
    left -= run.num_pixels;
  }
  while (failure_.end <= first_pixel_ && failures_.Next(&failure_)) {
  }
  return true;
}

PixelRun FrameReader::Take(int64_t most, Position* position) {
  if (position->left == 0) {
    position->pixels.Next(&position->run);
    position->left = position->run.num_pixels;
  }
  PixelRun taken = position->run;
  taken.num_pixels = std::min(most, position->left);
  position->left -= taken.num_pixels;
  return taken;
}

absl::string_view FrameReader::failure() const {
  if (!failed()) return "";
  return frame_->index().task_messages[static_cast<size_t>(task_run_.message)];
}

absl::Span<const uint8_t> FrameReader::rows() const {
  const int64_t record_bytes = frame_->record_bytes();
  return frame_->rows().subspan(
      static_cast<size_t>(first_record_ * record_bytes),
      static_cast<size_t>(num_records_ * record_bytes));
}

absl::Status FrameReader::CopyTo(BlockResult* result) const {
  const int64_t record_bytes = result->records().schema().record_bytes();
  if (record_bytes != frame_->record_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the frame has records of ", frame_->record_bytes(),
                     " bytes; the job's have ", record_bytes));
  }
  result->Clear();
  if (failed()) return absl::OkStatus();
  absl::Span<const uint8_t> rows_left = rows();
  Position position = begin_;
  FailureCursor failures = failures_;
  FailureRun failure = failure_;
  for (int64_t pixel = 0; pixel < num_pixels();) {
    const PixelRun run = Take(num_pixels() - pixel, &position);
    const auto size = static_cast<size_t>(run.total_records() * record_bytes);
    if (run.status == PixelStatus::kFailed && run.num_records == 0) {
      CopyFailed(run.num_pixels, &failures, &failure, first_pixel_ + pixel,
                 result);
    } else {
      result->AppendPixels(run.status, run.num_records, run.num_pixels,
                           rows_left.subspan(0, size));
    }
    rows_left.remove_prefix(size);
    pixel += run.num_pixels;
  }
  return absl::OkStatus();
}

void FrameReader::CopyFailed(int64_t count, FailureCursor* failures,
                             FailureRun* failure, int64_t pixel,
                             BlockResult* result) const {
  for (const int64_t end = pixel + count; pixel < end; ++pixel) {
    while (failure->end <= pixel && failures->Next(failure)) {
    }
    if (failure->begin <= pixel && pixel < failure->end) {
      const absl::string_view message =
          frame_->index().pixel_messages[static_cast<size_t>(failure->message)];
      result->FailPixel(message);
    } else {
      result->FinishPixel(PixelStatus::kFailed);
    }
  }
}

}  // namespace internode::core
