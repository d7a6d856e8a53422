#include "core/iter_chunks.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::core {

absl::StatusOr<ChunkGrid> IterChunks(const Dimensions& dims,
                                     const ChunkSizes& sizes) {
  return ChunkGrid::Create(dims, sizes);
}

absl::StatusOr<Dimensions> NoncoreDimensions(
    const Dimensions& dims, const std::vector<std::string>& core_dims) {
  std::vector<std::string> names;
  for (const Dimension& dim : dims) names.push_back(dim.name);
  for (size_t i = 0; i < core_dims.size(); ++i) {
    if (std::find(names.begin(), names.end(), core_dims[i]) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the data has no core dimension '", core_dims[i], "'; ",
                       WhatExists("it has", core_dims[i], names)));
    }
    if (std::find(core_dims.begin(), core_dims.begin() + static_cast<long>(i),
                  core_dims[i]) != core_dims.begin() + static_cast<long>(i)) {
      return absl::InvalidArgumentError(
          absl::StrCat("core dimension '", core_dims[i], "' is given twice"));
    }
  }
  Dimensions noncore;
  for (const Dimension& dim : dims) {
    if (std::find(core_dims.begin(), core_dims.end(), dim.name) ==
        core_dims.end()) {
      noncore.push_back(dim);
    }
  }
  return noncore;
}

absl::StatusOr<ChunkGrid> IterNoncoreChunks(
    const Dimensions& dims, const std::vector<std::string>& core_dims,
    const ChunkSizes& sizes) {
  INTERNODE_ASSIGN_OR_RETURN(const Dimensions noncore,
                             NoncoreDimensions(dims, core_dims));
  return ChunkGrid::Create(noncore, sizes);
}

}  // namespace internode::core
