#ifndef INTERNODE_CUBE_INFLATE_RATE_H_
#define INTERNODE_CUBE_INFLATE_RATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "cube/cube.h"

namespace internode::cube {

// What decompression alone takes.
struct InflateRate {
  int64_t chunks = 0;
  // Stored, and decompressed.
  int64_t stored_bytes = 0;
  int64_t raw_bytes = 0;
  // Of the wall clock.
  double seconds = 0;
};

// Decompresses the storage chunks of `variables` (numbers of CubeInfo), each
// into the same scratch memory of one of `threads` threads, one after the other
// with libdeflate: what readers are measured by. What is read of the
// file before does not count; nor do the other filters. Ends with the storage
// chunk that makes up `most_raw_bytes`.
//
// `chunks` is 0 where there is nothing to decompress: the variables are not
// compressed, or read through the HDF5 library. Errors: kDataLoss, as
// BlockReader.
absl::StatusOr<InflateRate> MeasureInflate(const Cube& cube,
                                           const std::vector<size_t>& variables,
                                           int threads, int64_t most_raw_bytes);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_INFLATE_RATE_H_
