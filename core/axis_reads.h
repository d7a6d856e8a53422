#ifndef INTERNODE_CORE_AXIS_READS_H_
#define INTERNODE_CORE_AXIS_READS_H_

#include <cstdint>

#include "core/chunk_grid.h"

namespace internode::core {

// How the tasks along one dimension meet the storage chunks along it. For a
// grid of tasks the numbers of all dimensions multiply: a box of tasks meets
// the product of what its sides meet.
struct AxisReads {
  // Ranges that the dimension is cut into.
  int64_t tasks = 0;
  // Storage chunks that hold an element of the cut part.
  int64_t chunks = 0;
  // Pairs of a task and a storage chunk that it needs: what is read when no
  // task keeps anything for the next. At least `chunks`.
  int64_t reads = 0;

  friend bool operator==(const AxisReads&, const AxisReads&) = default;
};

// Tasks as `cut` makes them, storage chunks of `storage_chunk` (at least 1)
// elements counted from 0. Pure arithmetic, O(log) of the sizes: a storage
// chunk is read once, and once more for each boundary between two tasks that
// does not lie on a boundary of storage chunks.
AxisReads CountAxisReads(const DimensionCut& cut, int64_t storage_chunk);

}  // namespace internode::core

#endif  // INTERNODE_CORE_AXIS_READS_H_
