#ifndef INTERNODE_CUBE_DESCRIBE_H_
#define INTERNODE_CUBE_DESCRIBE_H_

#include <vector>

#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "cube/cube.h"
#include "cube/cube_file.h"

namespace internode::cube {

struct Description {
  core::CubeInfo info;
  // One per variable of `info`.
  std::vector<StoredVariable> stored;
};

// Describes the open file `file` as `options` ask. Errors as Cube::Open.
absl::StatusOr<Description> Describe(const CubeFile& file,
                                     const OpenOptions& options)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_DESCRIBE_H_
