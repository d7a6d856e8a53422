#ifndef INTERNODE_CUBE_SERIES_TRANSPOSE_H_
#define INTERNODE_CUBE_SERIES_TRANSPOSE_H_

#include <cstddef>

#include "absl/types/span.h"

namespace internode::cube {

// From rows, which hold the same pixels at one time each, to the series of
// pixels: series[p][t] = rows[t][pixel + p]. Up to 15 bytes behind each row may
// be read. The rows lie anywhere, and so may the series; these do not overlap.
//
// Tiles are transposed in registers (with the widest that help), of few pixels
// after the others, so that few series are written at the same time.

// Numbers of `element_bytes` (1, 2, 4 or 8).
void TransposeNumbers(absl::Span<const std::byte* const> rows,
                      size_t element_bytes, size_t pixel,
                      absl::Span<std::byte* const> series);

// Numbers of 2 bytes that were shuffled: rows[t] are the low bytes, and those
// `high_plane` bytes behind (or before) it the high ones.
void TransposePlanes(absl::Span<const std::byte* const> rows,
                     std::ptrdiff_t high_plane, size_t pixel,
                     absl::Span<std::byte* const> series);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SERIES_TRANSPOSE_H_
