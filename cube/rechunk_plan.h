#ifndef INTERNODE_CUBE_RECHUNK_PLAN_H_
#define INTERNODE_CUBE_RECHUNK_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/dimension.h"
#include "core/selection.h"

// How a variable goes from one layout of storage chunks into another in
// bounded memory. Pure.
//
// The new storage chunks are made tile by tile. A tile is a run of new storage
// chunks, in row-major order; it is read in blocks of whole old storage chunks,
// taken apart into pieces (what a block and a new storage chunk have in
// common), and each new storage chunk is put together from its pieces. The
// pieces of a tile are held in memory. Where old storage chunks would have to
// be read for many tiles (one date each, to series of all dates), there is one
// tile, the whole variable, and its pieces lie in a scratch file instead.
//
// Because tiles are runs in row-major order, the new storage chunks are written
// in row-major order whatever the limits: the file does not depend on them.
namespace internode::cube {

struct RechunkAxis {
  // Elements that are stored.
  int64_t size = 0;
  // Sizes of the old storage chunks (1 where the data are not chunked) and of
  // the new ones.
  int64_t source = 1;
  int64_t target = 1;
};

struct RechunkLimits {
  // For the pieces of a tile in memory.
  int64_t tile_bytes = int64_t{256} << 20;
  // For a block that is read at once, unless one old storage chunk is larger.
  int64_t block_bytes = int64_t{8} << 20;
  // Old storage chunks are read more often than this, on average: through a
  // scratch file.
  double most_reads = 2;
};

struct RechunkPlan {
  // Sizes of a tile: multiples of the new storage chunks, or the whole.
  std::vector<int64_t> tile;
  // Sizes of a block: multiples of the old storage chunks, or the whole.
  std::vector<int64_t> block;
  bool uses_scratch = false;
  // How often an old storage chunk is read, on average.
  double reads_per_chunk = 1;
};

// Expects sizes of at least 1.
RechunkPlan PlanRechunk(const std::vector<RechunkAxis>& axes,
                        int64_t element_bytes, const RechunkLimits& limits);

// `box` cut at the multiples of `steps`: boxes in row-major order.
core::ChunkGrid CutBox(const core::Selection& box,
                       const std::vector<int64_t>& steps);

// The whole of `axes`.
core::Selection WholeBox(const std::vector<RechunkAxis>& axes);

// What two boxes have in common; nothing in it where they have nothing.
core::Selection Intersect(const core::Selection& a, const core::Selection& b);

// Elements of the pieces that come before `piece` in the box `chunk`, whose
// pieces are those of a row-major grid over it and lie one after the other.
int64_t ElementsBefore(const core::Selection& piece,
                       const core::Selection& chunk);

// The product of the sizes of `sizes`, or the largest number.
int64_t SaturatedElements(const std::vector<int64_t>& sizes);

// The sizes of new storage chunks per dimension of `cube`, each at most the
// dimension's: those that `given` names (-1: the whole dimension); else all of
// time, one band, as much of the other dimensions of series as makes up to 4096
// pixels (64 x 64) in storage chunks of at most 8 MiB, and all of the rest.
//
// Errors: kInvalidArgument, a size of 0 or below -1, an unknown dimension or
// one named twice, a storage chunk of 4 GiB or more in one of the variables,
// which HDF5 does not have; no dimension of time where none is given.
absl::StatusOr<core::Dimensions> ChooseStorageChunks(
    const core::CubeInfo& cube, const core::Dimensions& given);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_RECHUNK_PLAN_H_
