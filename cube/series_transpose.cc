#include "cube/series_transpose.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cube/register_tile.h"

namespace internode::cube {
namespace {

using Rows = absl::Span<const std::byte* const>;
using Series = absl::Span<std::byte* const>;

// Calls tile(t) for steps of kTile that cover all rows; the last may overlap
// the one before. Expects at least kTile rows.
template <size_t kTile, typename F>
void ForEachTile(size_t rows, const F& tile) {
  size_t t = 0;
  for (; t + kTile <= rows; t += kTile) tile(t);
  if (t < rows) tile(rows - kTile);
}

// The columns of `tile` to series at `offset` bytes; kAll: as many series as
// columns.
template <typename T, bool kAll>
void StoreColumns(const RegisterTile<T>& tile, Series series, size_t offset) {
  const size_t count = kAll ? kRegisterLanes<T> : series.size();
  for (size_t i = 0; i < count; ++i) {
    StoreRegister<T>(tile[i], series[i] + offset);
  }
}

// All rows of at most kRegisterLanes<T> pixels, the first of which is `pixel`
// of the rows.
template <typename T, bool kAll>
void TransposeStrip(Rows rows, size_t pixel, Series series) {
  constexpr size_t kLanes = kRegisterLanes<T>;
  ForEachTile<kLanes>(rows.size(), [&](size_t t) {
    RegisterTile<T> tile;
    for (size_t i = 0; i < kLanes; ++i) {
      tile[i] = LoadRegister<T>(rows[t + i] + pixel * sizeof(T));
    }
    Transpose<T>(&tile);
    StoreColumns<T, kAll>(tile, series, t * sizeof(T));
  });
}

template <typename T>
void TransposeFew(Rows rows, Series series) {
  for (size_t t = 0; t < rows.size(); ++t) {
    for (size_t p = 0; p < series.size(); ++p) {
      std::memcpy(series[p] + t * sizeof(T), rows[t] + p * sizeof(T),
                  sizeof(T));
    }
  }
}

template <typename T>
void TransposeAs(Rows rows, Series series) {
  constexpr size_t kLanes = kRegisterLanes<T>;
  if (rows.size() < kLanes) return TransposeFew<T>(rows, series);
  size_t p = 0;
  for (; p + kLanes <= series.size(); p += kLanes) {
    TransposeStrip<T, true>(rows, p, series.subspan(p, kLanes));
  }
  if (p < series.size()) {
    TransposeStrip<T, false>(rows, p, series.subspan(p));
  }
}

// All rows of 16 pixels, or of `series.size()` fewer.
template <bool kAll>
void TransposePlanesStrip(Rows rows, std::ptrdiff_t high_plane, size_t pixel,
                          Series series) {
  const size_t first = std::min<size_t>(series.size(), 8);
  ForEachTile<8>(rows.size(), [&](size_t t) {
    RegisterTile<uint16_t> left;
    RegisterTile<uint16_t> right;
    for (size_t i = 0; i < 8; ++i) {
      const std::byte* const row = rows[t + i] + pixel;
      const auto low = LoadRegister<uint8_t>(row);
      const auto high = LoadRegister<uint8_t>(row + high_plane);
      left[i] = reinterpret_cast<Register<uint16_t>>(
          Interleave<uint8_t, false>(low, high));
      right[i] = reinterpret_cast<Register<uint16_t>>(
          Interleave<uint8_t, true>(low, high));
    }
    Transpose<uint16_t>(&left);
    StoreColumns<uint16_t, kAll>(left, series.subspan(0, first), 2 * t);
    if (kAll || series.size() > 8) {
      Transpose<uint16_t>(&right);
      StoreColumns<uint16_t, kAll>(right, series.subspan(first), 2 * t);
    }
  });
}

void TransposePlanesFew(Rows rows, std::ptrdiff_t high_plane, Series series) {
  for (size_t t = 0; t < rows.size(); ++t) {
    for (size_t p = 0; p < series.size(); ++p) {
      series[p][2 * t] = rows[t][p];
      series[p][2 * t + 1] = *(rows[t] + p + high_plane);
    }
  }
}

}  // namespace

void TransposeNumbers(Rows rows, size_t element_bytes, Series series) {
  switch (element_bytes) {
    case 1:
      return TransposeAs<uint8_t>(rows, series);
    case 2:
      return TransposeAs<uint16_t>(rows, series);
    case 4:
      return TransposeAs<uint32_t>(rows, series);
    default:
      return TransposeAs<uint64_t>(rows, series);
  }
}

void TransposePlanes(Rows rows, std::ptrdiff_t high_plane, Series series) {
  if (rows.size() < 8) return TransposePlanesFew(rows, high_plane, series);
  size_t p = 0;
  for (; p + 16 <= series.size(); p += 16) {
    TransposePlanesStrip<true>(rows, high_plane, p, series.subspan(p, 16));
  }
  if (p < series.size()) {
    TransposePlanesStrip<false>(rows, high_plane, p, series.subspan(p));
  }
}

}  // namespace internode::cube
