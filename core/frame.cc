#include "core/frame.h"

#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/crc32c.h"
#include "core/record_schema.h"

namespace internode::core {
namespace {

// The header, as it lies in memory and in files, but for padding. NOTE: stored;
// docs/frame-format.md. Every version has the same magic, version and CRC
// fields at the same places.
constexpr absl::string_view kMagic("\x89INF", 4);
constexpr uint16_t kVersion = 1;
constexpr size_t kVersionAt = 4;
constexpr size_t kReservedAt = 6;
constexpr size_t kFirstTaskAt = 8;
constexpr size_t kNumTasksAt = 16;
constexpr size_t kRecordBytesAt = 20;
constexpr size_t kNumPixelsAt = 24;
constexpr size_t kNumRecordsAt = 32;
constexpr size_t kBodyBytesAt = 40;
constexpr size_t kBodyCrcAt = 48;
constexpr size_t kHeaderCrcAt = 52;
constexpr auto kHeaderSize = static_cast<size_t>(kFrameHeaderBytes);
static_assert(kHeaderCrcAt + sizeof(uint32_t) == kHeaderSize);

template <typename T>
T Load(absl::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <typename T>
void Store(T value, size_t at, std::string* bytes) {
  std::memcpy(bytes->data() + at, &value, sizeof(T));
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("frame is damaged: ", what));
}

// Whether `header`, as it was read, is within the limits.
absl::Status CheckHeader(const FrameHeader& header, int64_t num_tasks) {
  const Interval& tasks = header.tasks;
  if (tasks.begin < 0 || num_tasks < 1 || num_tasks > kMaxFrameItems ||
      tasks.begin > std::numeric_limits<int64_t>::max() - num_tasks) {
    return Damaged("its tasks are out of range");
  }
  if (header.num_pixels < 0 || header.num_pixels > kMaxFrameItems ||
      header.num_records < 0 || header.num_records > kMaxFrameItems) {
    return Damaged("it has too many pixels or records");
  }
  if (header.record_bytes > RecordSchema::kMaxRecordBytes) {
    return Damaged("its records are too large");
  }
  if (header.body_bytes < 0 ||
      header.body_bytes > kMaxFrameBytes - kFrameHeaderBytes ||
      header.rows_bytes() > header.body_bytes) {
    return Damaged("its length is wrong");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view bytes) {
  if (bytes.size() < kHeaderSize) return Damaged("it ends in its header");
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError("not a frame: it does not begin like one");
  }
  if (Crc32c(bytes.substr(0, kHeaderCrcAt)) !=
      Load<uint32_t>(bytes, kHeaderCrcAt)) {
    return Damaged("the checksum of its header is wrong");
  }
  const auto version = Load<uint16_t>(bytes, kVersionAt);
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("frame has format version ", version,
                     "; this program reads version ", kVersion));
  }
  if (Load<uint16_t>(bytes, kReservedAt) != 0) {
    return Damaged("its reserved bytes are not zero");
  }
  FrameHeader header;
  const auto num_tasks = int64_t{Load<uint32_t>(bytes, kNumTasksAt)};
  header.tasks.begin = Load<int64_t>(bytes, kFirstTaskAt);
  header.num_pixels = Load<int64_t>(bytes, kNumPixelsAt);
  header.num_records = Load<int64_t>(bytes, kNumRecordsAt);
  header.record_bytes = int64_t{Load<uint32_t>(bytes, kRecordBytesAt)};
  header.body_bytes = Load<int64_t>(bytes, kBodyBytesAt);
  header.body_crc = Load<uint32_t>(bytes, kBodyCrcAt);
  INTERNODE_RETURN_IF_ERROR(CheckHeader(header, num_tasks));
  header.tasks.end = header.tasks.begin + num_tasks;
  return header;
}

void SealFrame(FrameHeader header, std::string* bytes) {
  Store(kVersion, kVersionAt, bytes);
  Store(uint16_t{0}, kReservedAt, bytes);
  Store(header.tasks.begin, kFirstTaskAt, bytes);
  Store(static_cast<uint32_t>(header.tasks.size()), kNumTasksAt, bytes);
  Store(static_cast<uint32_t>(header.record_bytes), kRecordBytesAt, bytes);
  Store(header.num_pixels, kNumPixelsAt, bytes);
  Store(header.num_records, kNumRecordsAt, bytes);
  Store(static_cast<int64_t>(bytes->size()) - kFrameHeaderBytes, kBodyBytesAt,
        bytes);
  std::memcpy(bytes->data(), kMagic.data(), kMagic.size());
  const absl::string_view all = *bytes;
  Store(Crc32c(all.substr(kHeaderSize)), kBodyCrcAt, bytes);
  Store(Crc32c(all.substr(0, kHeaderCrcAt)), kHeaderCrcAt, bytes);
}

absl::StatusOr<FrameView> FrameView::Parse(absl::string_view bytes) {
  INTERNODE_ASSIGN_OR_RETURN(const FrameHeader header, ParseFrameHeader(bytes));
  if (static_cast<int64_t>(bytes.size()) != header.frame_bytes()) {
    return Damaged(absl::StrCat("it should have ", header.frame_bytes(),
                                " bytes, and has ", bytes.size()));
  }
  if (Crc32c(bytes.substr(kHeaderSize)) != header.body_crc) {
    return Damaged("its checksum is wrong");
  }
  INTERNODE_ASSIGN_OR_RETURN(
      FrameIndex index,
      FrameIndex::Parse(
          bytes.substr(kHeaderSize + static_cast<size_t>(header.rows_bytes())),
          {.tasks = header.tasks.size(),
           .pixels = header.num_pixels,
           .records = header.num_records}));
  return FrameView(bytes, header, std::move(index));
}

absl::Span<const uint8_t> FrameView::rows() const {
  return absl::MakeConstSpan(
      reinterpret_cast<const uint8_t*>(bytes_.data() + kHeaderSize),
      static_cast<size_t>(header_.rows_bytes()));
}

}  // namespace internode::core
