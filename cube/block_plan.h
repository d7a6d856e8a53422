#ifndef INTERNODE_CUBE_BLOCK_PLAN_H_
#define INTERNODE_CUBE_BLOCK_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/cube_info.h"
#include "core/selection.h"

namespace internode::cube {

// What a storage dimension of a variable is to a block.
enum class AxisKind { kCore, kNonCore, kBand };

struct PlannedAxis {
  AxisKind kind = AxisKind::kCore;
  int64_t size = 0;
  // Of the storage chunks; 1 where the data are not chunked.
  int64_t chunk = 1;
  // kNonCore: which of the request's non-core dimensions.
  size_t noncore = 0;
  // kCore: bytes between neighbours within a pixel's series.
  int64_t stride = 0;
};

// Series of one variable that are read, and lie, together: bands [band, band +
// count) of the file, `step` bytes apart in a pixel, the first at `offset`.
struct SeriesGroup {
  int64_t band = 0;
  int64_t count = 1;
  int64_t offset = 0;
  int64_t step = 0;
  // Bytes behind the last of them that belong to no series.
  int64_t padding = 0;
};

struct PlannedVariable {
  // In CubeInfo::variables.
  size_t variable = 0;
  int64_t element_bytes = 0;
  // In storage order.
  std::vector<PlannedAxis> axes;
  std::vector<SeriesGroup> groups;
};

// How the blocks of a request are put together from the variables.
struct BlockPlan {
  core::BlockLayout layout;
  std::vector<PlannedVariable> variables;
  // Of the request's non-core dimensions; -1 = the cube lacks the dimension.
  std::vector<int64_t> noncore_sizes;
};

// Pure. Errors as NewBlockReader.
absl::StatusOr<BlockPlan> PlanBlocks(const core::CubeInfo& cube,
                                     const core::BlockRequest& request);

// Whether `selection` is one of the plan's cube, and its block has a size that
// memory can have at all. Errors: kInvalidArgument, kResourceExhausted.
absl::Status CheckSelection(const BlockPlan& plan,
                            const core::Selection& selection);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BLOCK_PLAN_H_
