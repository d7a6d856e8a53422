#ifndef INTERNODE_CORE_READ_COST_H_
#define INTERNODE_CORE_READ_COST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"

namespace internode::core {

// What the tasks of a job read of one variable, in storage chunks. A variable
// that is not chunked counts as stored in chunks of one number.
//
// Numbers that do not fit are the largest int64_t.
struct VariableReads {
  // As CubeInfo names it.
  std::string variable;
  // Raw bytes of the numbers that the job needs, each counted once.
  int64_t needed_bytes = 0;
  // Raw bytes of one storage chunk.
  int64_t chunk_bytes = 0;
  // Storage chunks that the job needs something of, and all of the variable.
  int64_t chunks = 0;
  int64_t all_chunks = 0;
  // How many storage chunks are read when no task keeps one for the next, and
  // when a process keeps as much as ReadCost::cache_bytes of those that were
  // used last, and runs all tasks in order.
  int64_t reads = 0;
  int64_t cached_reads = 0;
  // How often a storage chunk is read, on average: at least 1, or 0 where there
  // is nothing to read.
  double amplification = 0;
  double cached_amplification = 0;
};

struct ReadCost {
  int64_t tasks = 0;
  int64_t pixels = 0;
  // Of the largest task.
  int64_t task_pixels = 0;
  int64_t cache_bytes = 0;
  // The cache with which no storage chunk is read twice; 0: none is needed.
  int64_t wanted_cache_bytes = 0;
  // In the order of the request's first use of each.
  std::vector<VariableReads> variables;

  // Over all variables, by raw bytes: bytes read per byte of the storage chunks
  // that are needed. 1 where there is nothing to read.
  double amplification() const;
  double cached_amplification() const;
};

// Counts what the chunks of `grid`, as tasks in their order, read of `cube` for
// `request`. Pure arithmetic: as fast for 10^18 tasks as for one. With a cache
// of `cache_bytes`, a process that drops first what was not used for the
// longest time reads `cached_reads` storage chunks, or fewer.
//
// Errors (kInvalidArgument): a variable that the cube lacks, or with a
// dimension that is neither core nor in the grid.
absl::StatusOr<ReadCost> CountReads(const CubeInfo& cube,
                                    const BlockRequest& request,
                                    const ChunkGrid& grid, int64_t cache_bytes);

}  // namespace internode::core

#endif  // INTERNODE_CORE_READ_COST_H_
