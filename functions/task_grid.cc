#include "functions/task_grid.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "core/auto_chunks.h"

namespace internode::functions {
namespace {

std::string RangeText(const core::DimensionRange& range) {
  return absl::StrCat(range.dim, "=", range.begin, ":",
                      range.end == -1 ? "" : absl::StrCat(range.end));
}

// The number of the dimension that `range` selects from.
absl::StatusOr<size_t> FindDimension(const core::Dimensions& noncore_dims,
                                     const std::vector<std::string>& core_dims,
                                     const core::DimensionRange& range) {
  std::vector<std::string> names;
  for (size_t d = 0; d < noncore_dims.size(); ++d) {
    if (noncore_dims[d].name == range.dim) return d;
    names.push_back(noncore_dims[d].name);
  }
  if (std::find(core_dims.begin(), core_dims.end(), range.dim) !=
      core_dims.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("dimension '", range.dim,
                     "' is a core dimension, which is always whole; ",
                     WhatExists("a selection can be of", range.dim, names)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "selection of '", range.dim, "', which is not a non-core dimension; ",
      WhatExists("there are", range.dim, names)));
}

absl::StatusOr<core::Extent> ResolveRange(const core::Dimension& dim,
                                          const core::DimensionRange& range) {
  const int64_t end = range.end == -1 ? dim.size : range.end;
  if (range.begin < 0 || range.begin > dim.size || end < 0 || end > dim.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "selection ", RangeText(range), " is not within 0:", dim.size,
        ", the range of dimension '", dim.name, "'"));
  }
  if (range.begin >= end) {
    return absl::InvalidArgumentError(
        absl::StrCat("selection ", RangeText(range), " is empty; dimension '",
                     dim.name, "' has 0:", dim.size));
  }
  return core::Extent::Range(range.begin, end);
}

// Automatic chunks aside.
core::ChunkSizes FixedSizes(const core::ChunkChoice& chunks) {
  if (const int64_t* size = std::get_if<int64_t>(&chunks)) return *size;
  if (const auto* mapping = std::get_if<core::ChunkMapping>(&chunks)) {
    return *mapping;
  }
  return core::NoChunks();
}

}  // namespace

absl::StatusOr<std::vector<core::Extent>> SelectRanges(
    const core::Dimensions& noncore_dims,
    const std::vector<std::string>& core_dims,
    const std::vector<core::DimensionRange>& select) {
  std::vector<core::Extent> ranges;
  for (const core::Dimension& dim : noncore_dims) {
    ranges.push_back(core::Extent::Range(0, dim.size));
  }
  std::vector<bool> selected(noncore_dims.size(), false);
  for (const core::DimensionRange& range : select) {
    INTERNODE_ASSIGN_OR_RETURN(const size_t d,
                               FindDimension(noncore_dims, core_dims, range));
    if (selected[d]) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension '", range.dim, "' is selected from twice"));
    }
    selected[d] = true;
    INTERNODE_ASSIGN_OR_RETURN(ranges[d], ResolveRange(noncore_dims[d], range));
  }
  return ranges;
}

absl::StatusOr<core::ChunkGrid> MakeTaskGrid(
    const core::CubeInfo& cube, const core::BlockRequest& request,
    const core::Dimensions& noncore_dims,
    const std::vector<core::Extent>& ranges, const core::ChunkChoice& chunks) {
  if (std::holds_alternative<core::AutoChunks>(chunks)) {
    return core::AutoChunkGrid(cube, request, noncore_dims, ranges);
  }
  const core::ChunkSizes sizes = FixedSizes(chunks);
  // A grid over the whole dimensions checks the sizes and resolves them to one
  // per dimension.
  INTERNODE_ASSIGN_OR_RETURN(const core::ChunkGrid whole,
                             core::ChunkGrid::Create(noncore_dims, sizes));
  std::vector<core::DimensionCut> cuts = whole.cuts();
  for (size_t d = 0; d < cuts.size(); ++d) {
    cuts[d].begin = ranges[d].begin;
    cuts[d].end = ranges[d].end;
    cuts[d].origin = ranges[d].begin;
  }
  return core::ChunkGrid::Create(noncore_dims, std::move(cuts));
}

absl::Status CheckSelections(const core::Dimensions& dims,
                             const std::vector<core::Selection>& selections) {
  if (selections.size() > kMaxSelections) {
    return absl::InvalidArgumentError(
        absl::StrCat("a job lists at most ", kMaxSelections,
                     " selections; this one lists ", selections.size()));
  }
  int64_t num_pixels = 0;
  for (size_t i = 0; i < selections.size(); ++i) {
    int64_t pixels = 1;
    bool bad = selections[i].extents.size() != dims.size();
    for (size_t d = 0; d < dims.size() && !bad; ++d) {
      const core::Extent& extent = selections[i].extents[d];
      bad = extent.begin < 0 || extent.begin >= extent.end ||
            extent.end > dims[d].size ||
            (extent.is_index && extent.end != extent.begin + 1) ||
            __builtin_mul_overflow(pixels, extent.size(), &pixels);
    }
    if (bad || __builtin_add_overflow(num_pixels, pixels, &num_pixels)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "selection ", i, " is not within the cube's non-core dimensions: ",
          absl::StrJoin(dims, ", ",
                        [](std::string* out, const core::Dimension& dim) {
                          absl::StrAppend(out, dim.name, "=0:", dim.size);
                        })));
    }
  }
  return absl::OkStatus();
}

}  // namespace internode::functions
