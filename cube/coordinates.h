#ifndef INTERNODE_CUBE_COORDINATES_H_
#define INTERNODE_CUBE_COORDINATES_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "cube/dataset_list.h"
#include "cube/dimension_names.h"

namespace internode::cube {

// Whether `dataset` holds the coordinate of its own dimension, `dims` being
// its dimensions' names.
bool IsCoordinate(const StoredDataset& dataset,
                  const std::vector<NamedDimension>& dims);

// The coordinate of `dim`, if the file has one: its scale, else a variable of
// its name; with the labels of a text variable along it, if there is one.
// `dims_of` is parallel to `list.datasets`. Errors: kDataLoss.
absl::StatusOr<std::optional<core::CoordinateInfo>> ReadCoordinate(
    hid_t file, const DatasetList& list,
    const std::vector<std::vector<NamedDimension>>& dims_of,
    const NamedDimension& dim)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// Decodes the time axis of `info`, from its dimensions and coordinates, into
// its `time` or `time_error`. Neither if there is no time.
void DecodeTime(core::CubeInfo* info);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_COORDINATES_H_
