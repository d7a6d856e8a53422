#ifndef INTERNODE_FUNCTIONS_TASK_GRID_H_
#define INTERNODE_FUNCTIONS_TASK_GRID_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/job_spec.h"
#include "core/selection.h"

namespace internode::functions {

// Of a job that lists its tasks.
inline constexpr size_t kMaxSelections = 1'000'000;

// What `select` leaves of each of `noncore_dims`: one range per dimension, the
// whole where nothing is selected. Errors (kInvalidArgument): a dimension that
// is core, unknown or named twice, a range that is empty or not within the
// dimension.
absl::StatusOr<std::vector<core::Extent>> SelectRanges(
    const core::Dimensions& noncore_dims,
    const std::vector<std::string>& core_dims,
    const std::vector<core::DimensionRange>& select);

// Cuts `ranges` of `noncore_dims` into tasks. Sizes given by the user count
// from where each range begins; automatic chunks keep to the storage chunks.
// NoChunks makes every pixel a task. Errors (kInvalidArgument): bad sizes.
absl::StatusOr<core::ChunkGrid> MakeTaskGrid(
    const core::CubeInfo& cube, const core::BlockRequest& request,
    const core::Dimensions& noncore_dims,
    const std::vector<core::Extent>& ranges, const core::ChunkChoice& chunks);

// Checks listed tasks: one extent for each of `dims`, not empty and within it;
// an index one long. Errors (kInvalidArgument) name the first that is wrong;
// more than kMaxSelections; more than 2^63 - 1 pixels in all.
absl::Status CheckSelections(const core::Dimensions& dims,
                             const std::vector<core::Selection>& selections);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_TASK_GRID_H_
