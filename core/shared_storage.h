#ifndef INTERNODE_CORE_SHARED_STORAGE_H_
#define INTERNODE_CORE_SHARED_STORAGE_H_

#include <cstdint>

#include "core/block.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"

namespace internode::core {

// How many tasks of `grid` belong together because they cut storage chunks of
// `request`'s variables: between task i - 1 and task i lies a boundary of the
// storage chunks if i is a multiple of it (counted along the dimension that is
// cut, from the grid's first task), so that what shares storage chunks is best
// given to one process. 1 where no task cuts a storage chunk; at most the
// number of tasks.
//
// Of chunks of 10 x 10 in storage, cut into rows of 1 x 500: 10 rows. Chunks
// of 15 x 500: 2, the third begins on a boundary again.
int64_t TasksSharingStorage(const CubeInfo& cube, const BlockRequest& request,
                            const ChunkGrid& grid);

}  // namespace internode::core

#endif  // INTERNODE_CORE_SHARED_STORAGE_H_
