#ifndef INTERNODE_CORE_AUTO_CHUNKS_H_
#define INTERNODE_CORE_AUTO_CHUNKS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"

namespace internode::core {

// The raw data that a task of automatic chunks reads at the most, unless a
// single tile of storage chunks is larger.
inline constexpr int64_t kAutoChunkBytes = int64_t{64} << 20;

// Cuts the non-core dimensions of `request` into whole multiples of the
// storage chunks, so that no storage chunk is read by two tasks, and a task
// holds at most kAutoChunkBytes of raw data (all series, all core dimensions);
// one tile of storage chunks is taken even if it is larger. Boundaries lie on
// the storage chunks' own, wherever `ranges` begin.
//
// `ranges` has one [begin, end) per non-core dimension, within its size.
absl::StatusOr<ChunkGrid> AutoChunkGrid(const CubeInfo& cube,
                                        const BlockRequest& request,
                                        const Dimensions& noncore_dims,
                                        const std::vector<Extent>& ranges);

}  // namespace internode::core

#endif  // INTERNODE_CORE_AUTO_CHUNKS_H_
