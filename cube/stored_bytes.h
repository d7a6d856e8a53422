#ifndef INTERNODE_CUBE_STORED_BYTES_H_
#define INTERNODE_CUBE_STORED_BYTES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

#include "cube/cube.h"

namespace internode::cube {

// Bytes that the numbers of variable `variable`, of CubeInfo, take in the file
// as they are stored: compressed, and without what was never written. 0 where
// the numbers are in other files. Takes h5::Lock. Errors: kDataLoss.
absl::StatusOr<int64_t> StoredBytes(const Cube& cube, size_t variable);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_STORED_BYTES_H_
