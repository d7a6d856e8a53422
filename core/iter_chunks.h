#ifndef INTERNODE_CORE_ITER_CHUNKS_H_
#define INTERNODE_CORE_ITER_CHUNKS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/chunk_grid.h"
#include "core/dimension.h"

namespace internode::core {

// The selections of `dims` cut by `sizes`, as a lazy range: see ChunkGrid.
absl::StatusOr<ChunkGrid> IterChunks(const Dimensions& dims,
                                     const ChunkSizes& sizes = NoChunks());

// The dimensions of `dims` that are not in `core_dims`, in the data's order.
// A core dimension that the data lacks, or that is named twice, is an error
// (kInvalidArgument).
absl::StatusOr<Dimensions> NoncoreDimensions(
    const Dimensions& dims, const std::vector<std::string>& core_dims);

// IterChunks over NoncoreDimensions.
absl::StatusOr<ChunkGrid> IterNoncoreChunks(
    const Dimensions& dims, const std::vector<std::string>& core_dims,
    const ChunkSizes& sizes = NoChunks());

}  // namespace internode::core

#endif  // INTERNODE_CORE_ITER_CHUNKS_H_
