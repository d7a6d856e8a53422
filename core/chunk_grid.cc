#include "core/chunk_grid.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::core {
namespace {

std::vector<std::string> Names(const Dimensions& dims) {
  std::vector<std::string> names;
  for (const Dimension& dim : dims) names.push_back(dim.name);
  return names;
}

absl::Status CheckDimensions(const Dimensions& dims) {
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].size < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension '", dims[d].name, "' has the negative size ",
                       dims[d].size));
    }
    for (size_t e = 0; e < d; ++e) {
      if (dims[d].name == dims[e].name) {
        return absl::InvalidArgumentError(
            absl::StrCat("dimension '", dims[d].name, "' is given twice"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckChunkSize(absl::string_view dim, int64_t size) {
  if (size >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("chunk size of dimension '",
                                                 dim, "' is ", size,
                                                 "; it must be at least 1"));
}

absl::Status CheckMapping(const Dimensions& dims, const ChunkMapping& mapping) {
  for (size_t i = 0; i < mapping.size(); ++i) {
    const auto& [name, size] = mapping[i];
    INTERNODE_RETURN_IF_ERROR(CheckChunkSize(name, size));
    const bool known = std::any_of(
        dims.begin(), dims.end(),
        [&name = name](const Dimension& dim) { return dim.name == name; });
    if (!known) {
      return absl::InvalidArgumentError(
          absl::StrCat("chunk size given for '", name,
                       "', which is not a dimension to cut; ",
                       WhatExists("there are", name, Names(dims))));
    }
    for (size_t j = 0; j < i; ++j) {
      if (mapping[j].first == name) {
        return absl::InvalidArgumentError(absl::StrCat(
            "chunk size of dimension '", name, "' is given twice"));
      }
    }
  }
  return absl::OkStatus();
}

// The chunk size that `sizes` gives to `dim`.
int64_t SizeFor(const ChunkSizes& sizes, const std::string& dim) {
  if (const int64_t* size = std::get_if<int64_t>(&sizes)) return *size;
  if (const ChunkMapping* mapping = std::get_if<ChunkMapping>(&sizes)) {
    for (const auto& [name, size] : *mapping) {
      if (name == dim) return size;
    }
  }
  return 1;
}

// a * b of non-negative numbers, or nothing on overflow.
std::optional<int64_t> CheckedProduct(int64_t a, int64_t b) {
  if (b != 0 && a > std::numeric_limits<int64_t>::max() / b) {
    return std::nullopt;
  }
  return a * b;
}

// Chunk `c` of `cut`.
Extent ExtentOf(const DimensionCut& cut, int64_t c) {
  const int64_t begin = c == 0 ? cut.begin : cut.origin + c * cut.chunk;
  // origin + (c + 1) * chunk can overflow for a huge chunk; begin cannot.
  const int64_t full_end = cut.chunk > cut.end - (cut.origin + c * cut.chunk)
                               ? cut.end
                               : cut.origin + (c + 1) * cut.chunk;
  return Extent::Range(begin, full_end);
}

}  // namespace

absl::StatusOr<ChunkGrid> ChunkGrid::Create(const Dimensions& dims,
                                            const ChunkSizes& sizes) {
  INTERNODE_RETURN_IF_ERROR(CheckDimensions(dims));
  if (const int64_t* size = std::get_if<int64_t>(&sizes)) {
    if (*size < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("chunk size is ", *size, "; it must be at least 1"));
    }
  } else if (const ChunkMapping* mapping = std::get_if<ChunkMapping>(&sizes)) {
    INTERNODE_RETURN_IF_ERROR(CheckMapping(dims, *mapping));
  }
  ChunkGrid grid;
  grid.dims_ = dims;
  grid.by_index_ = std::holds_alternative<NoChunks>(sizes);
  for (const Dimension& dim : dims) {
    grid.cuts_.push_back({.begin = 0,
                          .end = dim.size,
                          .chunk = SizeFor(sizes, dim.name),
                          .origin = 0});
  }
  INTERNODE_RETURN_IF_ERROR(grid.Finish());
  return grid;
}

absl::StatusOr<ChunkGrid> ChunkGrid::Create(const Dimensions& dims,
                                            std::vector<DimensionCut> cuts) {
  INTERNODE_RETURN_IF_ERROR(CheckDimensions(dims));
  if (cuts.size() != dims.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chunk grid of ", dims.size(), " dimensions was given ",
                     cuts.size(), " cuts"));
  }
  for (size_t d = 0; d < cuts.size(); ++d) {
    const DimensionCut& cut = cuts[d];
    INTERNODE_RETURN_IF_ERROR(CheckChunkSize(dims[d].name, cut.chunk));
    if (cut.begin < 0 || cut.begin > cut.end || cut.end > dims[d].size) {
      return absl::InvalidArgumentError(
          absl::StrCat("range ", cut.begin, ":", cut.end, " of dimension '",
                       dims[d].name, "' is not within 0:", dims[d].size));
    }
    if (cut.origin < 0 || cut.origin > cut.begin ||
        cut.begin - cut.origin >= cut.chunk) {
      return absl::InvalidArgumentError(absl::StrCat(
          "chunk origin ", cut.origin, " of dimension '", dims[d].name,
          "' is not the last boundary at or before ", cut.begin));
    }
  }
  ChunkGrid grid;
  grid.dims_ = dims;
  grid.cuts_ = std::move(cuts);
  INTERNODE_RETURN_IF_ERROR(grid.Finish());
  return grid;
}

absl::Status ChunkGrid::Finish() {
  // A dimension of size 0 makes the grid empty, however large the others are.
  const bool empty =
      std::any_of(cuts_.begin(), cuts_.end(),
                  [](const DimensionCut& cut) { return cut.begin == cut.end; });
  counts_.clear();
  num_chunks_ = empty ? 0 : 1;
  num_pixels_ = empty ? 0 : 1;
  for (const DimensionCut& cut : cuts_) {
    const int64_t count =
        cut.begin == cut.end ? 0 : (cut.end - 1 - cut.origin) / cut.chunk + 1;
    counts_.push_back(count);
    if (empty) continue;
    const std::optional<int64_t> pixels =
        CheckedProduct(num_pixels_, cut.end - cut.begin);
    if (!pixels.has_value()) {
      return absl::InvalidArgumentError(
          "the dimensions have more than 2^63 - 1 pixels together");
    }
    num_pixels_ = *pixels;
    // No more chunks than pixels, so this cannot overflow.
    num_chunks_ *= count;
  }
  return absl::OkStatus();
}

int64_t ChunkGrid::max_chunk_pixels() const {
  if (num_chunks_ == 0) return 0;
  int64_t pixels = 1;
  for (size_t d = 0; d < cuts_.size(); ++d) {
    int64_t largest = ExtentOf(cuts_[d], 0).size();
    // Only the first and the last range can be shorter than the second.
    if (counts_[d] > 1) {
      largest = std::max(largest, ExtentOf(cuts_[d], 1).size());
    }
    pixels *= largest;
  }
  return pixels;
}

Selection ChunkGrid::Chunk(int64_t i) const {
  Selection selection;
  selection.extents.resize(cuts_.size());
  for (size_t d = cuts_.size(); d-- > 0;) {
    Extent extent = ExtentOf(cuts_[d], i % counts_[d]);
    extent.is_index = by_index_;
    selection.extents[d] = extent;
    i /= counts_[d];
  }
  return selection;
}

int64_t ChunkGrid::ChunkOf(const std::vector<int64_t>& index) const {
  int64_t chunk = 0;
  for (size_t d = 0; d < cuts_.size(); ++d) {
    chunk = chunk * counts_[d] + (index[d] - cuts_[d].origin) / cuts_[d].chunk;
  }
  return chunk;
}

}  // namespace internode::core
