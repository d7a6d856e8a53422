#ifndef INTERNODE_CORE_SELECTION_H_
#define INTERNODE_CORE_SELECTION_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"

namespace internode::core {

// What is selected of one dimension: the half-open range [begin, end), or the
// single index `begin`. An index drops the dimension from the selected data,
// a range of length one keeps it; they differ in nothing else.
struct Extent {
  int64_t begin = 0;
  int64_t end = 0;
  bool is_index = false;

  static Extent Index(int64_t i) { return {i, i + 1, true}; }
  static Extent Range(int64_t begin, int64_t end) {
    return {begin, end, false};
  }

  int64_t size() const { return end - begin; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// One extent per non-core dimension, in the order of the data.
struct Selection {
  absl::InlinedVector<Extent, 3> extents;

  // The number of pixels: the product of the sizes, 1 without dimensions. The
  // product does not overflow for a selection that came from a ChunkGrid.
  int64_t num_pixels() const {
    int64_t pixels = 1;
    for (const Extent& extent : extents) pixels *= extent.size();
    return pixels;
  }
  friend bool operator==(const Selection&, const Selection&) = default;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_SELECTION_H_
