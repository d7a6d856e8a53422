#ifndef INTERNODE_CUBE_ROW_GATHER_H_
#define INTERNODE_CUBE_ROW_GATHER_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

#include "cube/buffer.h"

namespace internode::cube {

// Rows of decoded storage chunks: the same pixels, at one time each. Of
// shuffled numbers of 2 bytes they are the low bytes, and the high ones lie
// `high_plane` bytes behind (or before) them; of others it is 0.
struct PixelRows {
  absl::Span<const std::byte* const> rows;
  std::ptrdiff_t high_plane = 0;
};

// Pixels of many rows, copied together before they are turned. Rows of 64 x 64
// bytes, for one, lie 4 KiB apart, so that all their lines compete for the same
// few places in the processor's caches, and have to be fetched again for each
// strip of the pixels that are in them.
// Thread-compatible.
class RowGather {
 public:
  // Whether so many lines of the rows compete for one place in a first-level
  // cache that they drive each other out.
  static bool Helps(const PixelRows& source);

  // `bytes` bytes of each row, those from `at` on. Valid until the next call.
  // Throws std::bad_alloc.
  PixelRows Gather(const PixelRows& source, size_t at, size_t bytes);

 private:
  Buffer bytes_;
  std::vector<const std::byte*> rows_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_ROW_GATHER_H_
