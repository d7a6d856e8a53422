#include "cube/series_transpose.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cube/series_transpose.cc"
#include "hwy/foreach_target.h"
// The order is highway's.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace internode::cube {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Rows = absl::Span<const std::byte* const>;
using Series = absl::Span<std::byte* const>;

template <typename T>
void FewNumbers(Rows rows, size_t pixel, Series series) {
  for (size_t t = 0; t < rows.size(); ++t) {
    for (size_t p = 0; p < series.size(); ++p) {
      std::memcpy(series[p] + t * sizeof(T), rows[t] + (pixel + p) * sizeof(T),
                  sizeof(T));
    }
  }
}

void FewPlanes(Rows rows, std::ptrdiff_t high_plane, size_t pixel,
               Series series) {
  for (size_t t = 0; t < rows.size(); ++t) {
    for (size_t p = 0; p < series.size(); ++p) {
      series[p][2 * t] = rows[t][pixel + p];
      series[p][2 * t + 1] = *(rows[t] + pixel + p + high_plane);
    }
  }
}

// Without registers, as on processors before SSSE3, numbers are turned one by
// one.
#if HWY_TARGET != HWY_SCALAR

// A register of kBlocks blocks of 16 bytes, and how many numbers of the
// unsigned type T are in a block. All that is done with registers is done in
// each block by itself.
template <typename T, size_t kBlocks>
using Tag = hn::CappedTag<T, kBlocks * 16 / sizeof(T)>;
template <typename T, size_t kBlocks>
using Register = hn::Vec<Tag<T, kBlocks>>;
template <typename T>
inline constexpr size_t kLanes = 16 / sizeof(T);

// As many blocks as a register has.
inline constexpr size_t kMostBlocks =
    HWY_MIN(HWY_LANES(uint8_t) / 16, size_t{2});

// A square tile of numbers in each block.
template <typename T, size_t kBlocks>
struct Tile {
  Register<T, kBlocks> rows[kLanes<T>];
};

// 16 bytes at `at` of rows[0], and, for the next blocks, of rows[step],
// rows[2 * step], …
template <size_t kBlocks>
HWY_INLINE Register<uint8_t, kBlocks> LoadBlocks(const std::byte* const* rows,
                                                 std::ptrdiff_t at,
                                                 size_t step) {
  if constexpr (kBlocks == 1) {
    return hn::LoadU(Tag<uint8_t, 1>(),
                     reinterpret_cast<const uint8_t*>(rows[0] + at));
  } else {
    constexpr size_t kHalf = kBlocks / 2;
    return hn::Combine(Tag<uint8_t, kBlocks>(),
                       LoadBlocks<kHalf>(rows + kHalf * step, at, step),
                       LoadBlocks<kHalf>(rows, at, step));
  }
}

// Asks for the lines of the processor's cache that come after those at `at` in
// a quarter of the rows: each line has four strips, and each quarter its turn.
// Rows lie so far apart that the processor does not foresee them.
template <size_t kRows>
HWY_INLINE void PrefetchPart(const std::byte* const* rows, std::ptrdiff_t at,
                             std::ptrdiff_t plane = 0) {
  constexpr size_t kPart = kRows / 4;
  rows += static_cast<size_t>(at) / 16 % 4 * kPart;
  for (size_t i = 0; i < kPart; ++i) {
    hwy::Prefetch(rows[i] + at + 4 * 16 + plane);
  }
}

template <typename T, size_t kBlocks>
HWY_INLINE void Transpose(Tile<T, kBlocks>* tile) {
  const Tag<T, kBlocks> tag;
  constexpr size_t kHalf = kLanes<T> / 2;
  // Each round brings row i + kHalf between the numbers of row i; after
  // log2(kLanes) rounds, rows are columns.
  for (size_t round = 1; round < kLanes<T>; round *= 2) {
    Tile<T, kBlocks> mixed;
    for (size_t i = 0; i < kHalf; ++i) {
      const auto a = tile->rows[i];
      const auto b = tile->rows[i + kHalf];
      mixed.rows[2 * i] = hn::InterleaveLower(tag, a, b);
      mixed.rows[2 * i + 1] = hn::InterleaveUpper(tag, a, b);
    }
    *tile = mixed;
  }
}

// Column i of `tile` to series[i] at `offset` bytes; kAll: as many series as
// columns.
template <bool kAll, typename T, size_t kBlocks>
HWY_INLINE void StoreColumns(const Tile<T, kBlocks>& tile, Series series,
                             size_t offset) {
  const Tag<uint8_t, kBlocks> bytes;
  const size_t count = kAll ? kLanes<T> : series.size();
  for (size_t i = 0; i < count; ++i) {
    hn::StoreU(hn::BitCast(bytes, tile.rows[i]), bytes,
               reinterpret_cast<uint8_t*>(series[i] + offset));
  }
}

// A tile of rows[0] and those behind it, `at` bytes into them.
template <typename T, size_t kBlocks, bool kAll>
HWY_INLINE void NumbersTile(const std::byte* const* rows, std::ptrdiff_t at,
                            Series series, size_t offset) {
  const Tag<T, kBlocks> tag;
  Tile<T, kBlocks> tile;
  for (size_t i = 0; i < kLanes<T>; ++i) {
    tile.rows[i] =
        hn::BitCast(tag, LoadBlocks<kBlocks>(rows + i, at, kLanes<T>));
  }
  Transpose(&tile);
  StoreColumns<kAll>(tile, series, offset);
}

// All rows of at most kLanes<T> pixels, the first of which is `pixel` of the
// rows. The last tile may overlap the one before.
template <typename T, size_t kBlocks, bool kAll>
void NumbersStrip(Rows rows, size_t pixel, Series series) {
  constexpr size_t kRows = kBlocks * kLanes<T>;
  const auto at = static_cast<std::ptrdiff_t>(pixel * sizeof(T));
  for (size_t t = 0; t < rows.size(); t += kRows) {
    const size_t first = std::min(t, rows.size() - kRows);
    NumbersTile<T, kBlocks, kAll>(rows.data() + first, at, series,
                                  first * sizeof(T));
    PrefetchPart<kRows>(rows.data() + first, at);
  }
}

template <typename T, size_t kBlocks>
void Numbers(Rows rows, size_t pixel, Series series) {
  size_t p = 0;
  for (; p + kLanes<T> <= series.size(); p += kLanes<T>) {
    NumbersStrip<T, kBlocks, true>(rows, pixel + p,
                                   series.subspan(p, kLanes<T>));
  }
  if (p < series.size()) {
    NumbersStrip<T, kBlocks, false>(rows, pixel + p, series.subspan(p));
  }
}

// As NumbersTile, of 16 or `series.size()` fewer pixels.
template <size_t kBlocks, bool kAll>
HWY_INLINE void PlanesTile(const std::byte* const* rows, std::ptrdiff_t at,
                           std::ptrdiff_t high_plane, Series series,
                           size_t offset) {
  const Tag<uint8_t, kBlocks> bytes;
  const Tag<uint16_t, kBlocks> numbers;
  Tile<uint16_t, kBlocks> left;
  Tile<uint16_t, kBlocks> right;
  for (size_t i = 0; i < 8; ++i) {
    const auto low = LoadBlocks<kBlocks>(rows + i, at, 8);
    const auto high = LoadBlocks<kBlocks>(rows + i, at + high_plane, 8);
    left.rows[i] = hn::BitCast(numbers, hn::InterleaveLower(bytes, low, high));
    right.rows[i] = hn::BitCast(numbers, hn::InterleaveUpper(bytes, low, high));
  }
  const size_t first = kAll ? 8 : std::min<size_t>(series.size(), 8);
  Transpose(&left);
  StoreColumns<kAll>(left, series.subspan(0, first), offset);
  if (kAll || series.size() > 8) {
    Transpose(&right);
    StoreColumns<kAll>(right, series.subspan(first), offset);
  }
}

// As NumbersStrip, of 16 or `series.size()` fewer pixels.
template <size_t kBlocks, bool kAll>
void PlanesStrip(Rows rows, std::ptrdiff_t high_plane, size_t pixel,
                 Series series) {
  constexpr size_t kRows = kBlocks * 8;
  const auto at = static_cast<std::ptrdiff_t>(pixel);
  for (size_t t = 0; t < rows.size(); t += kRows) {
    const size_t first = std::min(t, rows.size() - kRows);
    PlanesTile<kBlocks, kAll>(rows.data() + first, at, high_plane, series,
                              2 * first);
    PrefetchPart<kRows>(rows.data() + first, at);
    PrefetchPart<kRows>(rows.data() + first, at, high_plane);
  }
}

template <size_t kBlocks>
void Planes(Rows rows, std::ptrdiff_t high_plane, size_t pixel, Series series) {
  size_t p = 0;
  for (; p + 16 <= series.size(); p += 16) {
    PlanesStrip<kBlocks, true>(rows, high_plane, pixel + p,
                               series.subspan(p, 16));
  }
  if (p < series.size()) {
    PlanesStrip<kBlocks, false>(rows, high_plane, pixel + p, series.subspan(p));
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

template <typename T>
void NumbersOf(Rows rows, size_t pixel, Series series) {
#if HWY_TARGET != HWY_SCALAR
  if (rows.size() >= kMostBlocks * kLanes<T>) {
    return Numbers<T, kMostBlocks>(rows, pixel, series);
  }
  if (rows.size() >= kLanes<T>) {
    return Numbers<T, 1>(rows, pixel, series);
  }
#endif
  FewNumbers<T>(rows, pixel, series);
}

void TransposeNumbers(Rows rows, size_t element_bytes, size_t pixel,
                      Series series) {
  switch (element_bytes) {
    case 1:
      return NumbersOf<uint8_t>(rows, pixel, series);
    case 2:
      return NumbersOf<uint16_t>(rows, pixel, series);
    case 4:
      return NumbersOf<uint32_t>(rows, pixel, series);
    default:
      return NumbersOf<uint64_t>(rows, pixel, series);
  }
}

void TransposePlanes(Rows rows, std::ptrdiff_t high_plane, size_t pixel,
                     Series series) {
#if HWY_TARGET != HWY_SCALAR
  if (rows.size() >= kMostBlocks * 8) {
    return Planes<kMostBlocks>(rows, high_plane, pixel, series);
  }
  if (rows.size() >= 8) return Planes<1>(rows, high_plane, pixel, series);
#endif
  FewPlanes(rows, high_plane, pixel, series);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::cube
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::cube {

HWY_EXPORT(TransposeNumbers);
HWY_EXPORT(TransposePlanes);

void TransposeNumbers(absl::Span<const std::byte* const> rows,
                      size_t element_bytes, size_t pixel,
                      absl::Span<std::byte* const> series) {
  HWY_DYNAMIC_DISPATCH(TransposeNumbers)(rows, element_bytes, pixel, series);
}

void TransposePlanes(absl::Span<const std::byte* const> rows,
                     std::ptrdiff_t high_plane, size_t pixel,
                     absl::Span<std::byte* const> series) {
  HWY_DYNAMIC_DISPATCH(TransposePlanes)(rows, high_plane, pixel, series);
}

}  // namespace internode::cube
#endif
