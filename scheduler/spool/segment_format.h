#ifndef INTERNODE_SCHEDULER_SPOOL_SEGMENT_FORMAT_H_
#define INTERNODE_SCHEDULER_SPOOL_SEGMENT_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The bytes and names of the spool's files: docs/spool-format.md.

namespace internode::scheduler {

inline constexpr int64_t kSegmentHeaderBytes = 32;

// What the start of a segment file says.
struct SegmentHeader {
  uint64_t job = 0;
  uint32_t segment = 0;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

std::string EncodeSegmentHeader(const SegmentHeader& header);

// Errors: kDataLoss (not a segment, or damaged), kFailedPrecondition (of
// another version).
absl::StatusOr<SegmentHeader> ParseSegmentHeader(absl::string_view bytes);

// "00000042.frames", and back.
std::string SegmentFileName(uint32_t segment);
std::optional<uint32_t> ParseSegmentFileName(absl::string_view name);

// "0000000042", and back.
std::string JobFolderName(uint64_t job);
std::optional<uint64_t> ParseJobFolderName(absl::string_view name);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SEGMENT_FORMAT_H_
