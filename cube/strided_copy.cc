#include "cube/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/container/inlined_vector.h"

#include "cube/register_tile.h"

namespace internode::cube {
namespace {

using CopyDimensions = absl::InlinedVector<CopyDimension, 8>;

// Transposes a square tile, with a side of kLanes numbers.
template <typename T>
void TransposeTile(const std::byte* source, int64_t source_stride,
                   std::byte* target, int64_t target_stride) {
  RegisterTile<T> rows;
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = LoadRegister<T>(source + static_cast<int64_t>(i) * source_stride);
  }
  Transpose<T>(&rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    StoreRegister<T>(rows[i], target + static_cast<int64_t>(i) * target_stride);
  }
}

template <typename T>
void CopyElement(const std::byte* source, std::byte* target) {
  std::memcpy(target, source, sizeof(T));
}

template <typename T>
void CopyPlane(const CopyDimension& outer, const CopyDimension& inner,
               const std::byte* source, std::byte* target) {
  for (int64_t i = 0; i < outer.count; ++i) {
    const std::byte* from = source + i * outer.source_stride;
    std::byte* to = target + i * outer.target_stride;
    for (int64_t j = 0; j < inner.count; ++j) {
      CopyElement<T>(from + j * inner.source_stride,
                     to + j * inner.target_stride);
    }
  }
}

// `along_source` has elements next to each other in the source, `along_target`
// in the target.
template <typename T>
void TransposePlane(const CopyDimension& along_source,
                    const CopyDimension& along_target, const std::byte* source,
                    std::byte* target) {
  constexpr int64_t kLanes = kRegisterLanes<T>;
  constexpr int64_t kBytes = sizeof(T);
  const int64_t source_tiles = along_source.count / kLanes * kLanes;
  const int64_t target_tiles = along_target.count / kLanes * kLanes;
  for (int64_t s = 0; s < source_tiles; s += kLanes) {
    for (int64_t t = 0; t < target_tiles; t += kLanes) {
      TransposeTile<T>(source + s * kBytes + t * along_target.source_stride,
                       along_target.source_stride,
                       target + s * along_source.target_stride + t * kBytes,
                       along_source.target_stride);
    }
  }
  // What is left over on either side.
  CopyDimension rest = along_target;
  rest.count -= target_tiles;
  CopyDimension tiled = along_source;
  tiled.count = source_tiles;
  CopyPlane<T>(tiled, rest, source + target_tiles * along_target.source_stride,
               target + target_tiles * kBytes);
  CopyDimension last = along_source;
  last.count -= source_tiles;
  CopyPlane<T>(last, along_target, source + source_tiles * kBytes,
               target + source_tiles * along_source.target_stride);
}

// Drops dimensions of one element, and makes one of two that lie in each other
// without gaps on both sides. The largest source strides come first.
CopyDimensions Simplify(absl::Span<const CopyDimension> dims) {
  CopyDimensions sorted;
  for (const CopyDimension& dim : dims) {
    if (dim.count != 1) sorted.push_back(dim);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const CopyDimension& a, const CopyDimension& b) {
              if (a.source_stride != b.source_stride) {
                return a.source_stride > b.source_stride;
              }
              return a.target_stride > b.target_stride;
            });
  CopyDimensions merged;
  for (const CopyDimension& dim : sorted) {
    if (!merged.empty()) {
      CopyDimension& outer = merged.back();
      if (outer.source_stride == dim.count * dim.source_stride &&
          outer.target_stride == dim.count * dim.target_stride) {
        outer = {.count = outer.count * dim.count,
                 .source_stride = dim.source_stride,
                 .target_stride = dim.target_stride};
        continue;
      }
    }
    merged.push_back(dim);
  }
  return merged;
}

// Calls f(source, target) for every index of `dims`.
template <typename F>
void ForEach(absl::Span<const CopyDimension> dims, const std::byte* source,
             std::byte* target, const F& f) {
  if (dims.empty()) {
    f(source, target);
    return;
  }
  for (int64_t i = 0; i < dims[0].count; ++i) {
    ForEach(dims.subspan(1), source + i * dims[0].source_stride,
            target + i * dims[0].target_stride, f);
  }
}

// Takes the dimension with the smallest stride out of `dims`; of equal ones
// the last.
CopyDimension TakeSmallest(CopyDimensions* dims,
                           int64_t CopyDimension::*stride) {
  auto smallest = dims->begin();
  for (auto it = dims->begin(); it != dims->end(); ++it) {
    if ((*it).*stride <= (*smallest).*stride) smallest = it;
  }
  const CopyDimension taken = *smallest;
  dims->erase(smallest);
  return taken;
}

template <typename T>
void CopyAs(CopyDimensions dims, const std::byte* source, std::byte* target) {
  constexpr int64_t kBytes = sizeof(T);
  if (dims.empty()) {
    CopyElement<T>(source, target);
    return;
  }
  const CopyDimension inner =
      TakeSmallest(&dims, &CopyDimension::target_stride);
  // Outer loops in the order of the target.
  std::sort(dims.begin(), dims.end(),
            [](const CopyDimension& a, const CopyDimension& b) {
              return a.target_stride > b.target_stride;
            });
  if (inner.target_stride == kBytes && inner.source_stride == kBytes) {
    ForEach(dims, source, target, [&](const std::byte* from, std::byte* to) {
      std::memcpy(to, from, static_cast<size_t>(inner.count * kBytes));
    });
    return;
  }
  if (dims.empty()) {
    CopyPlane<T>({.count = 1}, inner, source, target);
    return;
  }
  CopyDimension outer = TakeSmallest(&dims, &CopyDimension::source_stride);
  if (inner.target_stride == kBytes && outer.source_stride == kBytes) {
    ForEach(dims, source, target, [&](const std::byte* from, std::byte* to) {
      TransposePlane<T>(outer, inner, from, to);
    });
    return;
  }
  ForEach(dims, source, target, [&](const std::byte* from, std::byte* to) {
    CopyPlane<T>(outer, inner, from, to);
  });
}

}  // namespace

void StridedCopy(absl::Span<const CopyDimension> dims, int64_t element_bytes,
                 const std::byte* source, std::byte* target) {
  for (const CopyDimension& dim : dims) {
    if (dim.count == 0) return;
  }
  CopyDimensions simple = Simplify(dims);
  switch (element_bytes) {
    case 1:
      return CopyAs<uint8_t>(std::move(simple), source, target);
    case 2:
      return CopyAs<uint16_t>(std::move(simple), source, target);
    case 4:
      return CopyAs<uint32_t>(std::move(simple), source, target);
    default:
      return CopyAs<uint64_t>(std::move(simple), source, target);
  }
}

}  // namespace internode::cube
