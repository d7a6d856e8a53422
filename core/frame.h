#ifndef INTERNODE_CORE_FRAME_H_
#define INTERNODE_CORE_FRAME_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/frame_index.h"
#include "core/interval_set.h"

// Frames: the results of consecutive tasks of one job as bytes, checksummed.
// The unit that workers send, the spool stores and clients fetch. The format,
// byte by byte, is docs/frame-format.md. core/frame_encoder.h makes frames,
// core/frame_reader.h goes through their tasks.

namespace internode::core {

inline constexpr int64_t kFrameHeaderBytes = 56;
// Limits of one frame: encoders keep them, decoders insist on them.
inline constexpr int64_t kMaxFrameBytes = int64_t{1} << 30;
// Of tasks, of pixels, and of records.
inline constexpr int64_t kMaxFrameItems = (int64_t{1} << 31) - 1;

// What the first kFrameHeaderBytes bytes of a frame say.
struct FrameHeader {
  Interval tasks;
  int64_t num_pixels = 0;
  int64_t num_records = 0;
  // Of one record.
  int64_t record_bytes = 0;
  // Of what follows the header: the records, then the index.
  int64_t body_bytes = 0;
  uint32_t body_crc = 0;

  int64_t frame_bytes() const { return kFrameHeaderBytes + body_bytes; }
  // Of all records.
  int64_t rows_bytes() const { return num_records * record_bytes; }
};

// Reads the header at the start of `bytes`, which may end anywhere after it,
// and checks it against its own checksum; the body is not looked at. Errors:
// kDataLoss (not a frame, or damaged), kFailedPrecondition (a frame of another
// version).
absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view bytes);

// A frame that was found to be whole and consistent. The bytes are not copied,
// and must outlive it. A value; thread-safe.
class FrameView {
 public:
  // Checks all of `bytes`, which may come from anywhere: checksums, lengths,
  // counts. Allocates a small multiple of their size at the most. Errors:
  // kDataLoss, and as ParseFrameHeader.
  static absl::StatusOr<FrameView> Parse(absl::string_view bytes);

  absl::string_view bytes() const { return bytes_; }
  const FrameHeader& header() const { return header_; }
  Interval tasks() const { return header_.tasks; }
  int64_t num_pixels() const { return header_.num_pixels; }
  int64_t num_records() const { return header_.num_records; }
  int64_t record_bytes() const { return header_.record_bytes; }
  // All records, in order.
  absl::Span<const uint8_t> rows() const;
  const FrameIndex& index() const { return index_; }

 private:
  FrameView(absl::string_view bytes, const FrameHeader& header,
            FrameIndex index)
      : bytes_(bytes), header_(header), index_(std::move(index)) {}

  absl::string_view bytes_;
  FrameHeader header_;
  FrameIndex index_;
};

// The part of `frame` that holds `tasks`, as a frame of its own: the bytes
// that an encoder of the results of those tasks gives. Errors:
// kInvalidArgument (no tasks, or not within the frame).
absl::StatusOr<std::string> SliceFrame(const FrameView& frame, Interval tasks);

// Makes a frame of `bytes`, which hold room for the header, then the records,
// then the index: writes the header that `header`, without its body_bytes and
// body_crc, describes. Of use to encoders.
void SealFrame(FrameHeader header, std::string* bytes);

}  // namespace internode::core

#endif  // INTERNODE_CORE_FRAME_H_
