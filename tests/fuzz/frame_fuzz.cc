// Frames from untrusted bytes: as they are, and with checksums made right, so
// that what lies behind them is reached. A frame that is accepted must be
// readable to its end, and be the sum of its slices.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/crc32c.h"
#include "core/frame.h"
#include "core/frame_encoder.h"
#include "core/frame_reader.h"

namespace internode::core {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// Frames of more items are parsed, but not gone through one by one.
constexpr int64_t kMostItems = 10000;

std::shared_ptr<const RecordSchema> SchemaOf(int64_t record_bytes) {
  std::vector<Field> fields;
  for (int64_t i = 0; i < record_bytes; ++i) {
    fields.emplace_back();
    fields.back().name = "f" + std::to_string(i);
    fields.back().type = DataType::kUInt8;
  }
  return std::make_shared<const RecordSchema>(
      RecordSchema::Create(std::move(fields)).value());
}

// Reads `frame` task by task and encodes it again.
std::string Rebuild(const FrameView& frame) {
  FrameEncoder encoder(frame.tasks().begin, frame.record_bytes());
  BlockResult result(SchemaOf(frame.record_bytes()));
  int64_t records = 0;
  for (FrameReader reader(frame); reader.Next();) {
    if (reader.failed()) {
      Require(
          encoder.AppendFailedTask(reader.num_pixels(), reader.failure()).ok());
      continue;
    }
    Require(reader.CopyTo(&result).ok());
    Require(result.num_pixels() == reader.num_pixels());
    records += reader.num_records();
    Require(encoder.Append(result).ok());
  }
  Require(records == frame.num_records());
  Require(encoder.tasks() == frame.tasks());
  return encoder.Finish().value();
}

void Use(const FrameView& frame) {
  const Interval tasks = frame.tasks();
  const std::string whole = SliceFrame(frame, tasks).value();
  const FrameView same = FrameView::Parse(whole).value();
  Require(same.num_pixels() == frame.num_pixels());
  Require(same.rows() == frame.rows());
  const int64_t middle = tasks.begin + tasks.size() / 2;
  if (middle > tasks.begin) {
    const std::string front = SliceFrame(frame, {tasks.begin, middle}).value();
    const std::string back = SliceFrame(frame, {middle, tasks.end}).value();
    Require(FrameView::Parse(front)->num_records() +
                FrameView::Parse(back)->num_records() ==
            frame.num_records());
  }
  if (tasks.size() <= kMostItems && frame.num_pixels() <= kMostItems &&
      frame.num_records() <= kMostItems && frame.record_bytes() <= 64) {
    Require(Rebuild(frame) == whole);
  }
}

void Try(const std::string& bytes) {
  const absl::StatusOr<FrameView> frame = FrameView::Parse(bytes);
  if (frame.ok()) Use(*frame);
}

}  // namespace
}  // namespace internode::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using internode::core::Crc32c;
  using internode::core::FrameView;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  internode::core::Try(bytes);
  constexpr auto kHeader =
      static_cast<size_t>(internode::core::kFrameHeaderBytes);
  if (size < kHeader) return 0;
  const auto body_bytes = static_cast<int64_t>(size - kHeader);
  std::memcpy(bytes.data() + kHeader - 16, &body_bytes, 8);
  const absl::string_view all = bytes;
  const uint32_t body_crc = Crc32c(all.substr(kHeader));
  std::memcpy(bytes.data() + kHeader - 8, &body_crc, 4);
  const uint32_t header_crc = Crc32c(all.substr(0, kHeader - 4));
  std::memcpy(bytes.data() + kHeader - 4, &header_crc, 4);
  internode::core::Try(bytes);
  return 0;
}
