#ifndef INTERNODE_CUBE_SHUFFLE_H_
#define INTERNODE_CUBE_SHUFFLE_H_

#include <cstddef>

#include "absl/types/span.h"

namespace internode::cube {

// Undoes the HDF5 filter "shuffle", which puts the first bytes of all elements
// first, then the second ones, …; bytes that are no whole element stay at the
// end. `natural` has room for `shuffled`, and does not overlap it.
// `element_bytes` is at least 1.
void Unshuffle(absl::Span<const std::byte> shuffled, size_t element_bytes,
               std::byte* natural);

// As Unshuffle, with the bytes of each element in reverse order: of numbers
// in the other byte order.
void UnshuffleSwapped(absl::Span<const std::byte> shuffled,
                      size_t element_bytes, std::byte* natural);

// Reverses the bytes of each whole element, of 1, 2, 4 or 8 bytes.
void SwapBytes(absl::Span<std::byte> numbers, size_t element_bytes);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SHUFFLE_H_
