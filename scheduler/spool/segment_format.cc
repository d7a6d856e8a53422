#include "scheduler/spool/segment_format.h"

#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "core/crc32c.h"
#include "core/record_batch.h"

namespace internode::scheduler {
namespace {

// NOTE: stored; docs/spool-format.md.
constexpr absl::string_view kMagic("\x89INSPOOL", 8);
constexpr uint16_t kVersion = 1;
constexpr size_t kVersionAt = 8;
constexpr size_t kSegmentAt = 12;
constexpr size_t kJobAt = 16;
constexpr size_t kCrcAt = 28;
constexpr auto kHeaderSize = static_cast<size_t>(kSegmentHeaderBytes);
constexpr absl::string_view kSuffix = ".frames";

template <typename T>
void Store(T value, size_t at, std::string* bytes) {
  std::memcpy(bytes->data() + at, &value, sizeof(T));
}

template <typename T>
T Load(absl::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

uint32_t CrcOf(absl::string_view bytes) {
  return internode::core::Crc32c(bytes.substr(0, kCrcAt));
}

// A number written with at least `digits` digits.
template <typename T>
std::optional<T> ParseNumber(absl::string_view text, size_t digits) {
  T number = 0;
  if (text.size() < digits ||
      text.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(text, &number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes(kHeaderSize, '\0');
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  Store(kVersion, kVersionAt, &bytes);
  Store(header.segment, kSegmentAt, &bytes);
  Store(header.job, kJobAt, &bytes);
  Store(CrcOf(bytes), kCrcAt, &bytes);
  return bytes;
}

absl::StatusOr<SegmentHeader> ParseSegmentHeader(absl::string_view bytes) {
  if (bytes.size() < kHeaderSize || bytes.substr(0, kMagic.size()) != kMagic ||
      CrcOf(bytes) != Load<uint32_t>(bytes, kCrcAt)) {
    return absl::DataLossError("it does not begin like a segment of a spool");
  }
  const auto version = Load<uint16_t>(bytes, kVersionAt);
  if (version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("spool has format version ", version,
                     "; this program reads version ", kVersion));
  }
  return SegmentHeader{.job = Load<uint64_t>(bytes, kJobAt),
                       .segment = Load<uint32_t>(bytes, kSegmentAt)};
}

std::string SegmentFileName(uint32_t segment) {
  return absl::StrFormat("%08d%s", segment, kSuffix);
}

std::optional<uint32_t> ParseSegmentFileName(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, kSuffix)) return std::nullopt;
  return ParseNumber<uint32_t>(name, 8);
}

std::string JobFolderName(uint64_t job) {
  return absl::StrFormat("%010d", job);
}

std::optional<uint64_t> ParseJobFolderName(absl::string_view name) {
  return ParseNumber<uint64_t>(name, 10);
}

}  // namespace internode::scheduler
