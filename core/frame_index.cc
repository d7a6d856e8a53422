#include "core/frame_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/varint.h"

namespace internode::core {
namespace {

// A pixel run is a number, (pixels - 1) << 4 | explicit << 3 | status, and,
// if `explicit` is set, the records of each pixel. Without it they are 1 for
// kOk, and 0 for every other status.
constexpr int kStatusBits = 3;
constexpr int64_t kExplicit = 1 << kStatusBits;
constexpr int kPixelsShift = kStatusBits + 1;
constexpr auto kLastStatus = static_cast<int64_t>(PixelStatus::kFailed);

uint32_t ImpliedRecords(PixelStatus status) {
  return status == PixelStatus::kOk ? 1 : 0;
}

absl::Status DamagedIndex(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("frame is damaged: ", what));
}

// As much of `message` as is kept; whole UTF-8 characters.
absl::string_view Cut(absl::string_view message) {
  auto size = static_cast<size_t>(kMaxFailureMessageBytes);
  if (message.size() <= size) return message;
  while (size > 0 && (static_cast<uint8_t>(message[size]) & 0xc0) == 0x80) {
    --size;
  }
  return message.substr(0, size);
}

absl::StatusOr<std::vector<absl::string_view>> TakeMessages(
    absl::string_view* bytes) {
  int64_t count = 0;
  // Each takes a byte at least.
  if (!TakeVarint(bytes, &count) ||
      count > static_cast<int64_t>(bytes->size())) {
    return DamagedIndex("its number of messages is wrong");
  }
  std::vector<absl::string_view> messages;
  messages.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    int64_t size = 0;
    if (!TakeVarint(bytes, &size) || size > kMaxFailureMessageBytes ||
        size > static_cast<int64_t>(bytes->size())) {
      return DamagedIndex("the length of a message is wrong");
    }
    messages.push_back(bytes->substr(0, static_cast<size_t>(size)));
    bytes->remove_prefix(static_cast<size_t>(size));
  }
  return messages;
}

// The part of `bytes` that lies before `rest`, its end.
absl::string_view Before(absl::string_view bytes, absl::string_view rest) {
  return bytes.substr(0, bytes.size() - rest.size());
}

// Cuts the task runs off the front of `bytes`; says how many pixels they list.
absl::StatusOr<absl::string_view> TakeTasks(const FrameIndex::Counts& counts,
                                            size_t num_messages,
                                            absl::string_view* bytes,
                                            int64_t* listed_pixels) {
  TaskCursor cursor(*bytes);
  int64_t tasks = 0;
  int64_t pixels = 0;
  while (tasks < counts.tasks) {
    TaskRun run;
    if (!cursor.Next(&run) || run.num_tasks > counts.tasks - tasks ||
        run.message >= static_cast<int64_t>(num_messages)) {
      return DamagedIndex("its runs of tasks make no sense");
    }
    if (run.num_pixels > (counts.pixels - pixels) / run.num_tasks) {
      return DamagedIndex("its tasks have more pixels than it has");
    }
    tasks += run.num_tasks;
    pixels += run.num_tasks * run.num_pixels;
    *listed_pixels += run.listed_pixels();
  }
  if (pixels != counts.pixels) {
    return DamagedIndex("its tasks have fewer pixels than it has");
  }
  const absl::string_view part = Before(*bytes, cursor.rest());
  *bytes = cursor.rest();
  return part;
}

absl::StatusOr<absl::string_view> TakePixels(const FrameIndex::Counts& counts,
                                             int64_t listed_pixels,
                                             absl::string_view* bytes) {
  PixelCursor cursor(*bytes);
  int64_t pixels = 0;
  int64_t records = 0;
  while (pixels < listed_pixels) {
    PixelRun run;
    if (!cursor.Next(&run) || run.num_pixels > listed_pixels - pixels) {
      return DamagedIndex("its runs of pixels make no sense");
    }
    if (run.num_records > (counts.records - records) / run.num_pixels) {
      return DamagedIndex("its pixels have more records than it has");
    }
    pixels += run.num_pixels;
    records += run.total_records();
  }
  if (records != counts.records) {
    return DamagedIndex("its pixels have fewer records than it has");
  }
  const absl::string_view part = Before(*bytes, cursor.rest());
  *bytes = cursor.rest();
  return part;
}

// Whether each run of failures lies on pixels that failed without records.
absl::Status CheckFailures(const FrameIndex& index) {
  PixelCursor pixels(index.pixels);
  PixelRun run;
  int64_t run_end = 0;
  FailureCursor failures(index.failures);
  FailureRun failure;
  while (!failures.rest().empty()) {
    if (!failures.Next(&failure)) {
      return DamagedIndex("its runs of failures make no sense");
    }
    if (failure.message >= static_cast<int64_t>(index.pixel_messages.size())) {
      return DamagedIndex("a failure has no message");
    }
    for (int64_t at = failure.begin; at < failure.end; at = run_end) {
      while (run_end <= at) {
        if (!pixels.Next(&run)) return DamagedIndex("a failure has no pixel");
        run_end += run.num_pixels;
      }
      if (run.status != PixelStatus::kFailed || run.num_records != 0) {
        return DamagedIndex("a pixel that did not fail has a failure");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

int64_t MessageTable::Number(absl::string_view message) {
  message = Cut(message);
  const auto it = numbers_.find(message);
  if (it != numbers_.end()) return it->second;
  const auto number = static_cast<int64_t>(numbers_.size());
  numbers_.emplace(std::string(message), number);
  AppendVarint(static_cast<int64_t>(message.size()), &bytes_);
  bytes_.append(message.data(), message.size());
  return number;
}

void MessageTable::AppendTo(std::string* bytes) const {
  AppendVarint(static_cast<int64_t>(numbers_.size()), bytes);
  bytes->append(bytes_);
}

void FrameIndexWriter::AddTasks(const TaskRun& run) {
  if (run.num_tasks == 0) return;
  if (task_run_.num_pixels != run.num_pixels ||
      task_run_.message != run.message) {
    FlushTasks();
    task_run_ = run;
    return;
  }
  task_run_.num_tasks += run.num_tasks;
}

void FrameIndexWriter::AddPixels(const PixelRun& run) {
  if (run.num_pixels == 0) return;
  if (pixel_run_.status != run.status ||
      pixel_run_.num_records != run.num_records) {
    FlushPixels();
    pixel_run_ = run;
    return;
  }
  pixel_run_.num_pixels += run.num_pixels;
}

void FrameIndexWriter::AddFailures(const FailureRun& run) {
  if (run.begin == run.end) return;
  if (failure_run_.end != run.begin || failure_run_.message != run.message) {
    FlushFailures();
    failure_run_ = run;
    return;
  }
  failure_run_.end = run.end;
}

void FrameIndexWriter::FlushTasks() {
  if (task_run_.num_tasks == 0) return;
  AppendVarint(task_run_.num_tasks, &tasks_);
  AppendVarint(task_run_.num_pixels << 1 | (task_run_.failed() ? 1 : 0),
               &tasks_);
  if (task_run_.failed()) AppendVarint(task_run_.message, &tasks_);
}

void FrameIndexWriter::FlushPixels() {
  if (pixel_run_.num_pixels == 0) return;
  const bool implied =
      pixel_run_.num_records == ImpliedRecords(pixel_run_.status);
  AppendVarint((pixel_run_.num_pixels - 1) << kPixelsShift |
                   (implied ? 0 : kExplicit) |
                   static_cast<int64_t>(pixel_run_.status),
               &pixels_);
  if (!implied) AppendVarint(pixel_run_.num_records, &pixels_);
}

void FrameIndexWriter::FlushFailures() {
  if (failure_run_.end == failure_run_.begin) return;
  AppendVarint(failure_run_.begin - failures_end_, &failures_);
  AppendVarint(failure_run_.end - failure_run_.begin, &failures_);
  AppendVarint(failure_run_.message, &failures_);
  failures_end_ = failure_run_.end;
}

int64_t FrameIndexWriter::max_bytes() const {
  // A run of each kind, of three numbers each.
  constexpr int64_t kRuns = 3 * 3 * 9;
  return static_cast<int64_t>(tasks_.size() + pixels_.size() +
                              failures_.size()) +
         task_messages_.max_bytes() + pixel_messages_.max_bytes() + kRuns;
}

int64_t FrameIndexWriter::MaxTaskBytes(int64_t pixels, int64_t failures) {
  // A run for each: up to three numbers below 2^32, or below 2^36 in the case
  // of pixels, where long runs share their bytes.
  return 16 + pixels * 6 + failures * 16;
}

void FrameIndexWriter::Finish(std::string* bytes) {
  FlushTasks();
  FlushPixels();
  FlushFailures();
  task_messages_.AppendTo(bytes);
  bytes->append(tasks_);
  bytes->append(pixels_);
  pixel_messages_.AppendTo(bytes);
  bytes->append(failures_);
  *this = FrameIndexWriter();
}

absl::StatusOr<FrameIndex> FrameIndex::Parse(absl::string_view bytes,
                                             const Counts& counts) {
  FrameIndex index;
  int64_t listed_pixels = 0;
  INTERNODE_ASSIGN_OR_RETURN(index.task_messages, TakeMessages(&bytes));
  INTERNODE_ASSIGN_OR_RETURN(
      index.tasks,
      TakeTasks(counts, index.task_messages.size(), &bytes, &listed_pixels));
  INTERNODE_ASSIGN_OR_RETURN(index.pixels,
                             TakePixels(counts, listed_pixels, &bytes));
  INTERNODE_ASSIGN_OR_RETURN(index.pixel_messages, TakeMessages(&bytes));
  index.failures = bytes;
  INTERNODE_RETURN_IF_ERROR(CheckFailures(index));
  return index;
}

bool TaskCursor::Next(TaskRun* run) {
  int64_t pixels = 0;
  if (!TakeVarint(&rest_, &run->num_tasks) || run->num_tasks == 0 ||
      !TakeVarint(&rest_, &pixels)) {
    return false;
  }
  run->num_pixels = pixels >> 1;
  run->message = -1;
  return (pixels & 1) == 0 || TakeVarint(&rest_, &run->message);
}

bool PixelCursor::Next(PixelRun* run) {
  int64_t head = 0;
  if (!TakeVarint(&rest_, &head)) return false;
  const int64_t status = head & (kExplicit - 1);
  if (status > kLastStatus) return false;
  run->status = static_cast<PixelStatus>(status);
  run->num_pixels = (head >> kPixelsShift) + 1;
  run->num_records = ImpliedRecords(run->status);
  if ((head & kExplicit) == 0) return true;
  int64_t records = 0;
  if (!TakeVarint(&rest_, &records) || records > int64_t{UINT32_MAX}) {
    return false;
  }
  run->num_records = static_cast<uint32_t>(records);
  return true;
}

bool FailureCursor::Next(FailureRun* run) {
  int64_t gap = 0;
  int64_t pixels = 0;
  if (!TakeVarint(&rest_, &gap) || !TakeVarint(&rest_, &pixels) ||
      !TakeVarint(&rest_, &run->message)) {
    return false;
  }
  // Far beyond any frame; sums of two cannot overflow.
  constexpr int64_t kFar = int64_t{1} << 40;
  if (gap > kFar || pixels == 0 || pixels > kFar || end_ > kFar) return false;
  run->begin = end_ + gap;
  run->end = run->begin + pixels;
  end_ = run->end;
  return true;
}

}  // namespace internode::core
