#include "internode/data_array.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "client/convert.h"
#include "core/chunk_grid.h"

namespace internode {

absl::Status DataArray::Check() const {
  // The grid of single elements checks names and sizes, overflow included.
  const absl::StatusOr<core::ChunkGrid> grid =
      core::ChunkGrid::Create(client::ToCore(dims_), core::NoChunks());
  if (!grid.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("array '", name_, "': ", grid.status().message()));
  }
  if (grid->num_pixels() != size_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "array '", name_, "' has ", size_, " values, and its dimensions have ",
        grid->num_pixels(), " elements"));
  }
  std::vector<std::string> names;
  for (const Dimension& dim : dims_) names.push_back(dim.name);
  for (const Coordinate& coordinate : coordinates_) {
    const auto dim = std::find_if(
        dims_.begin(), dims_.end(),
        [&](const Dimension& d) { return d.name == coordinate.dim; });
    if (dim == dims_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("array '", name_, "' has a coordinate of '",
                       coordinate.dim, "', which is not a dimension of it; ",
                       WhatExists("it has", coordinate.dim, names)));
    }
    if (static_cast<int64_t>(coordinate.values.size()) != dim->size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "array '", name_, "' has ", coordinate.values.size(),
          " coordinates along '", dim->name, "', whose size is ", dim->size));
    }
  }
  return absl::OkStatus();
}

}  // namespace internode
