#ifndef INTERNODE_CUBE_FLETCHER32_H_
#define INTERNODE_CUBE_FLETCHER32_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace internode::cube {

// The checksum of the HDF5 filter "fletcher32": Fletcher's sums of 16-bit
// big-endian words, modulo 65535; of an odd number of bytes, the last is the
// high half of a word. Source: HDF5 1.10, H5_checksum_fletcher32.
uint32_t Fletcher32(absl::Span<const std::byte> bytes);

// Whether `stored`, the checksum in a file, is that of `bytes`. Little-endian
// machines wrote it with the bytes of either half exchanged up to HDF5 1.6.2.
bool IsFletcher32(absl::Span<const std::byte> bytes, uint32_t stored);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_FLETCHER32_H_
