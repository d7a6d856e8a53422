#include "cube/rechunk_plan.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "core/axis_reads.h"

namespace internode::cube {
namespace {

using core::Extent;
using core::Selection;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
// HDF5 counts the bytes of a storage chunk in 32 bits.
constexpr int64_t kMostChunkBytes = (int64_t{1} << 32) - 1;

// Of storage chunks that nobody gave a size for.
constexpr int64_t kUsualPixels = 4096;
constexpr int64_t kUsualChunkBytes = int64_t{8} << 20;

int64_t SaturatedProduct(int64_t a, int64_t b) {
  return b != 0 && a > kMax / b ? kMax : a * b;
}

// Takes `sizes`, units per dimension, as many times together as `limit` allows,
// the last dimension first, so that what is taken is a run in row-major order.
void Grow(const std::vector<RechunkAxis>& axes, int64_t element_bytes,
          int64_t limit, std::vector<int64_t>* sizes) {
  for (size_t d = axes.size(); d-- > 0;) {
    int64_t& size = (*sizes)[d];
    const int64_t bytes = std::max<int64_t>(
        1, SaturatedProduct(SaturatedElements(*sizes), element_bytes));
    const int64_t times = std::max<int64_t>(1, limit / bytes);
    size = std::min(axes[d].size, SaturatedProduct(size, times));
    if (size < axes[d].size) return;
  }
}

double ReadsPerChunk(const std::vector<RechunkAxis>& axes,
                     const std::vector<int64_t>& tile) {
  double reads = 1;
  for (size_t d = 0; d < axes.size(); ++d) {
    const core::AxisReads axis = core::CountAxisReads(
        {.begin = 0, .end = axes[d].size, .chunk = tile[d], .origin = 0},
        axes[d].source);
    reads *= static_cast<double>(axis.reads) / static_cast<double>(axis.chunks);
  }
  return reads;
}

}  // namespace

int64_t SaturatedElements(const std::vector<int64_t>& sizes) {
  int64_t elements = 1;
  for (const int64_t size : sizes) elements = SaturatedProduct(elements, size);
  return elements;
}

RechunkPlan PlanRechunk(const std::vector<RechunkAxis>& axes,
                        int64_t element_bytes, const RechunkLimits& limits) {
  RechunkPlan plan;
  for (const RechunkAxis& axis : axes) {
    plan.tile.push_back(std::min(axis.target, axis.size));
    plan.block.push_back(std::min(axis.source, axis.size));
  }
  Grow(axes, element_bytes, limits.tile_bytes, &plan.tile);
  Grow(axes, element_bytes, limits.block_bytes, &plan.block);
  plan.reads_per_chunk = ReadsPerChunk(axes, plan.tile);
  if (plan.reads_per_chunk > limits.most_reads) {
    plan.uses_scratch = true;
    plan.reads_per_chunk = 1;
    for (size_t d = 0; d < axes.size(); ++d) plan.tile[d] = axes[d].size;
  }
  return plan;
}

core::ChunkGrid CutBox(const Selection& box,
                       const std::vector<int64_t>& steps) {
  core::Dimensions dims;
  std::vector<core::DimensionCut> cuts;
  for (size_t d = 0; d < steps.size(); ++d) {
    const Extent& extent = box.extents[d];
    dims.push_back({absl::StrCat(d), extent.end});
    cuts.push_back({.begin = extent.begin,
                    .end = extent.end,
                    .chunk = steps[d],
                    .origin = extent.begin / steps[d] * steps[d]});
  }
  // Parts of a dataset, which has fewer elements than 2^63.
  return core::ChunkGrid::Create(dims, std::move(cuts))
      .value_or(core::ChunkGrid());
}

Selection WholeBox(const std::vector<RechunkAxis>& axes) {
  Selection box;
  for (const RechunkAxis& axis : axes) {
    box.extents.push_back(Extent::Range(0, axis.size));
  }
  return box;
}

Selection Intersect(const Selection& a, const Selection& b) {
  Selection both;
  for (size_t d = 0; d < a.extents.size(); ++d) {
    const int64_t begin = std::max(a.extents[d].begin, b.extents[d].begin);
    const int64_t end = std::min(a.extents[d].end, b.extents[d].end);
    both.extents.push_back(Extent::Range(begin, std::max(begin, end)));
  }
  return both;
}

int64_t ElementsBefore(const Selection& piece, const Selection& chunk) {
  int64_t elements = 0;
  // Of the piece along the dimensions before d, of the chunk along those after.
  int64_t before = 1;
  int64_t after = chunk.num_pixels();
  for (size_t d = 0; d < chunk.extents.size(); ++d) {
    after /= chunk.extents[d].size();
    elements +=
        before * after * (piece.extents[d].begin - chunk.extents[d].begin);
    before *= piece.extents[d].size();
  }
  return elements;
}

namespace {

absl::Status CheckGiven(const core::CubeInfo& cube,
                        const core::Dimensions& given) {
  std::vector<std::string> names;
  for (const core::Dimension& dim : cube.dims) names.push_back(dim.name);
  std::vector<std::string> seen;
  for (const core::Dimension& dim : given) {
    if (std::find(names.begin(), names.end(), dim.name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cube has no dimension '", dim.name, "'; ",
                       WhatExists("it has", dim.name, names)));
    }
    if (std::find(seen.begin(), seen.end(), dim.name) != seen.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the storage chunk size of '", dim.name, "' is given twice"));
    }
    seen.push_back(dim.name);
    if (dim.size == -1 || dim.size > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("storage chunk size of '", dim.name, "' is ", dim.size,
                     "; it must be at least 1, or -1 for the whole dimension"));
  }
  return absl::OkStatus();
}

const core::Dimension* Find(const core::Dimensions& dims,
                            const std::string& name) {
  for (const core::Dimension& dim : dims) {
    if (dim.name == name) return &dim;
  }
  return nullptr;
}

// Raw bytes of the largest storage chunk of any variable, or of `variable`.
int64_t ChunkBytes(const core::VariableInfo& variable,
                   const core::Dimensions& chunks) {
  int64_t bytes = core::DataTypeBytes(variable.type);
  for (const core::Dimension& dim : variable.dims) {
    bytes = SaturatedProduct(bytes, Find(chunks, dim.name)->size);
  }
  return bytes;
}

bool Has(const core::VariableInfo& variable, const std::string& dim) {
  return Find(variable.dims, dim) != nullptr;
}

// Whether pixels lie along `dim`: a series over `time` has it, or there are no
// series.
bool IsPlace(const core::CubeInfo& cube, const std::string& time,
             const std::string& dim) {
  bool series = false;
  for (const core::VariableInfo& variable : cube.variables) {
    if (!Has(variable, time)) continue;
    if (Has(variable, dim)) return true;
    series = true;
  }
  return !series;
}

// The largest side, a power of two, with which `unset` dimensions make up
// kUsualPixels or less, and storage chunks kUsualChunkBytes or less.
void ChooseSides(const core::CubeInfo& cube,
                 const std::vector<std::string>& unset,
                 core::Dimensions* chunks) {
  if (unset.empty()) return;
  int64_t side = kUsualPixels;
  const auto fits = [&] {
    int64_t pixels = 1;
    for (core::Dimension& chunk : *chunks) {
      if (std::find(unset.begin(), unset.end(), chunk.name) == unset.end()) {
        continue;
      }
      chunk.size = std::min(
          side, std::max<int64_t>(1, Find(cube.dims, chunk.name)->size));
      pixels = SaturatedProduct(pixels, side);
    }
    return pixels <= kUsualPixels &&
           std::all_of(cube.variables.begin(), cube.variables.end(),
                       [&](const core::VariableInfo& variable) {
                         return ChunkBytes(variable, *chunks) <=
                                kUsualChunkBytes;
                       });
  };
  while (!fits() && side > 1) side /= 2;
}

}  // namespace

absl::StatusOr<core::Dimensions> ChooseStorageChunks(
    const core::CubeInfo& cube, const core::Dimensions& given) {
  INTERNODE_RETURN_IF_ERROR(CheckGiven(cube, given));
  if (given.empty() && !cube.time.has_value() &&
      Find(cube.dims, "time") == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", cube.path,
                     "' has no dimension that is known to be time; say how "
                     "to store it with --storage-chunks, e.g. ",
                     cube.dims[0].name, "=-1"));
  }
  const std::string time = cube.time.has_value() ? cube.time->dim : "time";
  core::Dimensions chunks;
  std::vector<std::string> unset;
  for (const core::Dimension& dim : cube.dims) {
    const core::Dimension* choice = Find(given, dim.name);
    const int64_t whole = std::max<int64_t>(1, dim.size);
    int64_t size = whole;
    if (choice != nullptr) {
      size = choice->size == -1 ? whole : std::min(choice->size, whole);
    } else if (dim.name == cube.band_dim) {
      size = 1;
    } else if (dim.name != time && IsPlace(cube, time, dim.name)) {
      unset.push_back(dim.name);
    }
    chunks.push_back({dim.name, size});
  }
  ChooseSides(cube, unset, &chunks);
  for (const core::VariableInfo& variable : cube.variables) {
    const int64_t bytes = ChunkBytes(variable, chunks);
    if (bytes <= kMostChunkBytes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "storage chunks of ",
        absl::StrJoin(variable.dims, ",",
                      [&](std::string* out, const core::Dimension& dim) {
                        absl::StrAppend(out, dim.name, "=",
                                        Find(chunks, dim.name)->size);
                      }),
        " would have ", FormatBytes(bytes), " in variable '", variable.name,
        "'; HDF5 allows less than 4 GiB"));
  }
  return chunks;
}

}  // namespace internode::cube
