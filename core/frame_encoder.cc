#include "core/frame_encoder.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"

namespace internode::core {
namespace {

constexpr auto kHeaderLength = static_cast<size_t>(kFrameHeaderBytes);
static_assert(RecordBatch::kHeadBytes == kHeaderLength);

// Beyond the last frame's bytes, this part of them, which the next frame may be
// larger by without being moved.
constexpr size_t kSpare = 16;

}  // namespace

FrameEncoder::FrameEncoder(int64_t first_task, int64_t record_bytes)
    : record_bytes_(record_bytes),
      tasks_({first_task, first_task}),
      bytes_(kHeaderLength, '\0') {}

absl::Status FrameEncoder::CheckRoom(int64_t pixels, int64_t records,
                                     int64_t index_bytes) const {
  if (tasks_.end == std::numeric_limits<int64_t>::max()) {
    return absl::InvalidArgumentError("there is no task of that number");
  }
  if (tasks_.size() >= kMaxFrameItems ||
      pixels > kMaxFrameItems - num_pixels_ ||
      records > kMaxFrameItems - num_records_ ||
      records * record_bytes_ + index_bytes > kMaxFrameBytes - frame_bytes()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the results of task ", tasks_.end, ", ", pixels, " pixels and ",
        records, " records of ", record_bytes_,
        " bytes, do not fit into the frame: it holds up to ",
        FormatBytes(kMaxFrameBytes), " and ", kMaxFrameItems, " pixels"));
  }
  return absl::OkStatus();
}

absl::Status FrameEncoder::Append(const BlockResult& result) {
  INTERNODE_RETURN_IF_ERROR(Check(result));
  Add(result);
  const absl::Span<const uint8_t> rows = result.records().bytes();
  // With the index behind it, so that a frame of one task is laid once.
  bytes_.reserve(bytes_.size() + rows.size() +
                 static_cast<size_t>(index_.max_bytes()));
  bytes_.append(reinterpret_cast<const char*>(rows.data()), rows.size());
  return absl::OkStatus();
}

absl::Status FrameEncoder::AppendAndClear(BlockResult* result) {
  const size_t rows = result->records().bytes().size();
  if (num_records_ > 0 || rows <= bytes_.capacity() / 2) {
    INTERNODE_RETURN_IF_ERROR(Append(*result));
    result->Clear();
    return absl::OkStatus();
  }
  INTERNODE_RETURN_IF_ERROR(Check(*result));
  Add(*result);
  result->SwapMemory(&bytes_);
  return absl::OkStatus();
}

absl::Status FrameEncoder::Check(const BlockResult& result) const {
  const RecordBatch& records = result.records();
  if (records.schema().record_bytes() != record_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the results of task ", tasks_.end, " have records of ",
                     records.schema().record_bytes(),
                     " bytes; the frame's have ", record_bytes_));
  }
  int64_t finished = 0;
  for (const uint32_t count : result.record_counts()) finished += count;
  if (finished != records.num_records()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the results of task ", tasks_.end, " end with ",
                     records.num_records() - finished,
                     " records of a pixel that is not finished"));
  }
  int64_t index_bytes = FrameIndexWriter::MaxTaskBytes(
      result.num_pixels(), static_cast<int64_t>(result.failures().size()));
  for (const BlockResult::Failure& failure : result.failures()) {
    index_bytes += std::min(static_cast<int64_t>(failure.message.size()),
                            kMaxFailureMessageBytes);
  }
  return CheckRoom(result.num_pixels(), records.num_records(), index_bytes);
}

void FrameEncoder::Add(const BlockResult& result) {
  index_.AddTasks({.num_tasks = 1, .num_pixels = result.num_pixels()});
  AddPixels(result);
  AddFailures(result);
  ++tasks_.end;
  num_pixels_ += result.num_pixels();
  num_listed_pixels_ += result.num_pixels();
  num_records_ += result.records().num_records();
}

void FrameEncoder::AddPixels(const BlockResult& result) {
  const std::vector<PixelStatus>& statuses = result.statuses();
  const std::vector<uint32_t>& counts = result.record_counts();
  for (size_t begin = 0, end = 0; begin < statuses.size(); begin = end) {
    for (end = begin + 1;
         end < statuses.size() && statuses[end] == statuses[begin] &&
         counts[end] == counts[begin];
         ++end) {
    }
    index_.AddPixels({.status = statuses[begin],
                      .num_records = counts[begin],
                      .num_pixels = static_cast<int64_t>(end - begin)});
  }
}

void FrameEncoder::AddFailures(const BlockResult& result) {
  for (const BlockResult::Failure& failure : result.failures()) {
    const int64_t pixel = num_listed_pixels_ + failure.pixel;
    index_.AddFailures({.begin = pixel,
                        .end = pixel + 1,
                        .message = index_.PixelMessage(failure.message)});
  }
}

absl::Status FrameEncoder::AppendFailedTask(int64_t num_pixels,
                                            absl::string_view message) {
  if (num_pixels < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("task ", tasks_.end, " has ", num_pixels, " pixels"));
  }
  INTERNODE_RETURN_IF_ERROR(CheckRoom(
      num_pixels, 0,
      FrameIndexWriter::MaxTaskBytes(0, 1) + kMaxFailureMessageBytes));
  index_.AddTasks({.num_tasks = 1,
                   .num_pixels = num_pixels,
                   .message = index_.TaskMessage(message)});
  ++tasks_.end;
  num_pixels_ += num_pixels;
  return absl::OkStatus();
}

int64_t FrameEncoder::frame_bytes() const {
  return static_cast<int64_t>(bytes_.size()) + index_.max_bytes();
}

absl::StatusOr<std::string> FrameEncoder::Finish() {
  if (tasks_.size() == 0) {
    return absl::FailedPreconditionError("a frame holds at least one task");
  }
  index_.Finish(&bytes_);
  SealFrame({.tasks = tasks_,
             .num_pixels = num_pixels_,
             .num_records = num_records_,
             .record_bytes = record_bytes_},
            &bytes_);
  std::string frame = std::move(bytes_);
  // The next frame is likely to be about as large as this one.
  bytes_ = std::string();
  bytes_.reserve(frame.size() + frame.size() / kSpare);
  bytes_.resize(kHeaderLength);
  tasks_.begin = tasks_.end;
  num_pixels_ = 0;
  num_listed_pixels_ = 0;
  num_records_ = 0;
  return frame;
}

}  // namespace internode::core
