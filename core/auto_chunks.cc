#include "core/auto_chunks.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::core {
namespace {

// A job is cut into at least this many tasks where the storage chunks allow,
// so that workers finish together and progress is seen.
constexpr int64_t kWantedTasks = 64;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// a * b for non-negative numbers, or the largest number.
int64_t SaturatedProduct(int64_t a, int64_t b) {
  return b != 0 && a > kMax / b ? kMax : a * b;
}

bool IsCore(const BlockRequest& request, const std::string& dim) {
  return std::find(request.core_dims.begin(), request.core_dims.end(), dim) !=
         request.core_dims.end();
}

// The raw bytes of one pixel of `series`.
int64_t PixelBytes(const VariableInfo& variable, const BlockRequest& request,
                   const SeriesRequest& series, const std::string& band_dim) {
  int64_t bytes = DataTypeBytes(variable.type);
  for (const Dimension& dim : variable.dims) {
    const bool one_band = series.band >= 0 && dim.name == band_dim;
    if (!one_band && IsCore(request, dim.name)) {
      bytes = SaturatedProduct(bytes, dim.size);
    }
  }
  return bytes;
}

// The smallest length along `dim`, counted from 0, that ends on a boundary of
// the storage chunks of every requested variable; the dimension's size when
// that is smaller.
int64_t StorageUnit(const std::vector<const VariableInfo*>& variables,
                    const Dimension& dim) {
  int64_t unit = 1;
  for (const VariableInfo* variable : variables) {
    if (variable->storage_chunks.size() != variable->dims.size()) continue;
    for (size_t d = 0; d < variable->dims.size(); ++d) {
      if (variable->dims[d].name != dim.name) continue;
      const int64_t chunk = std::max<int64_t>(1, variable->storage_chunks[d]);
      if (chunk >= dim.size) return dim.size;
      // Both are smaller than the dimension, so that the quotient times the
      // chunk overflows only where the result exceeds the dimension.
      unit = SaturatedProduct(unit / std::gcd(unit, chunk), chunk);
      if (unit >= dim.size) return dim.size;
    }
  }
  return unit;
}

// How many units of `units` to take together so that `most` is not exceeded
// and the pieces are of equal length.
int64_t BalancedUnits(int64_t units, int64_t most) {
  if (most >= units) return units;
  const int64_t pieces = (units + most - 1) / most;
  return (units + pieces - 1) / pieces;
}

}  // namespace

absl::StatusOr<ChunkGrid> AutoChunkGrid(const CubeInfo& cube,
                                        const BlockRequest& request,
                                        const Dimensions& noncore_dims,
                                        const std::vector<Extent>& ranges) {
  std::vector<const VariableInfo*> variables;
  int64_t pixel_bytes = 0;
  for (const SeriesRequest& series : request.series) {
    const VariableInfo* variable = cube.FindVariable(series.variable);
    if (variable == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("cube has no variable '", series.variable, "'"));
    }
    variables.push_back(variable);
    const int64_t bytes = PixelBytes(*variable, request, series, cube.band_dim);
    pixel_bytes = bytes > kMax - pixel_bytes ? kMax : pixel_bytes + bytes;
  }

  std::vector<int64_t> chunks;
  int64_t tile_bytes = std::max<int64_t>(1, pixel_bytes);
  int64_t all_bytes = tile_bytes;
  for (size_t d = 0; d < noncore_dims.size(); ++d) {
    chunks.push_back(
        std::max<int64_t>(1, StorageUnit(variables, noncore_dims[d])));
    tile_bytes = SaturatedProduct(tile_bytes, chunks[d]);
    all_bytes = SaturatedProduct(all_bytes, ranges[d].size());
  }

  const int64_t limit = std::min(kAutoChunkBytes, all_bytes / kWantedTasks);
  // Grow the fastest dimension first: neighbours in the file stay together.
  for (size_t d = noncore_dims.size(); d-- > 0;) {
    const int64_t room = limit / tile_bytes;
    if (room < 2) break;
    const int64_t units =
        (std::max<int64_t>(1, ranges[d].size()) + chunks[d] - 1) / chunks[d];
    const int64_t taken = BalancedUnits(units, room);
    chunks[d] = SaturatedProduct(chunks[d], taken);
    tile_bytes = SaturatedProduct(tile_bytes, taken);
    // A dimension that is not whole would leave ragged tiles behind it.
    if (taken < units) break;
  }

  std::vector<DimensionCut> cuts;
  for (size_t d = 0; d < noncore_dims.size(); ++d) {
    cuts.push_back({.begin = ranges[d].begin,
                    .end = ranges[d].end,
                    .chunk = chunks[d],
                    .origin = ranges[d].begin / chunks[d] * chunks[d]});
  }
  return ChunkGrid::Create(noncore_dims, std::move(cuts));
}

}  // namespace internode::core
