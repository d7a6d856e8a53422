#ifndef INTERNODE_CUBE_SEGMENT_READER_H_
#define INTERNODE_CUBE_SEGMENT_READER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/block_result.h"
#include "cube/segment_writer.h"

namespace internode::cube {

// How many pixels have each status; indexed by core::PixelStatus.
using PixelStatusCounts = std::array<int64_t, 5>;

// Reads a segment file that SegmentWriter wrote. The file is not trusted: one
// that is damaged or made up gives errors (kDataLoss, kInvalidArgument), not
// more. Thread-compatible.
class SegmentReader {
 public:
  // Errors: kNotFound, kInvalidArgument (not a segment file), kDataLoss.
  static absl::StatusOr<std::unique_ptr<SegmentReader>> Open(
      absl::string_view path);
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  const std::string& path() const;
  // What SegmentWriter::Create was given, but for coordinates of dimensions
  // that are not the grid's.
  const SegmentFileSpec& spec() const;
  int64_t num_records() const;

  // Reads all pixels' status, in bounded memory.
  absl::StatusOr<PixelStatusCounts> CountPixels();

  // Replaces `result`, of this file's schema, by what was appended for the
  // chunk; the pixels of a chunk that was left out are not_processed. The
  // messages of failed pixels are empty. Fast for ascending chunks.
  absl::Status ReadChunk(int64_t chunk, core::BlockResult* result);

  // Replaces `result` by the one pixel at `index`: the number along each of
  // the grid's dimensions. Takes the same time wherever the pixel is.
  // kInvalidArgument outside the dimensions.
  absl::Status ReadPixel(const std::vector<int64_t>& index,
                         core::BlockResult* result);

 private:
  struct Impl;
  explicit SegmentReader(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_READER_H_
