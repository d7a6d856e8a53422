#ifndef INTERNODE_CUBE_PLACEMENT_H_
#define INTERNODE_CUBE_PLACEMENT_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"

#include "core/selection.h"
#include "cube/block_plan.h"
#include "cube/box.h"

namespace internode::cube {

// Where the numbers of a variable's series lie in a block. A value.
class Placement {
 public:
  Placement(const PlannedVariable& plan, const SeriesGroup& group,
            const core::Selection& selection, int64_t pixel_stride);

  // Bytes between neighbours along storage dimension `d`.
  int64_t stride(size_t d) const { return axes_[d].stride; }

  // Bytes from the block's first pixel to the number that comes first in
  // `box`.
  int64_t OffsetOf(const Box& box) const;

  // Non-core dimensions that the variable lacks: its numbers are the same for
  // all indices of these.
  struct Repeat {
    int64_t count = 0;
    int64_t stride = 0;
  };
  const absl::InlinedVector<Repeat, 4>& repeats() const { return repeats_; }

  // Copies the numbers of `box`, which lie one after the other at `source` in
  // storage order, to their places.
  void Copy(const Box& box, const std::byte* source,
            std::byte* first_pixel) const;

  // Gives every number of `box` the value at `number`.
  void Fill(const Box& box, const std::byte* number,
            std::byte* first_pixel) const;

 private:
  struct Axis {
    int64_t stride = 0;
    // Of the index whose numbers lie in the first pixel.
    int64_t origin = 0;
  };

  int64_t element_bytes_ = 0;
  int64_t offset_ = 0;
  absl::InlinedVector<Axis, 5> axes_;
  absl::InlinedVector<Repeat, 4> repeats_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_PLACEMENT_H_
