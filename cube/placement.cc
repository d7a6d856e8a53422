#include "cube/placement.h"

#include "cube/strided_copy.h"

namespace internode::cube {

Placement::Placement(const PlannedVariable& plan, const SeriesGroup& group,
                     const core::Selection& selection, int64_t pixel_stride)
    : element_bytes_(plan.element_bytes), offset_(group.offset) {
  absl::InlinedVector<Repeat, 4> noncore(selection.extents.size());
  int64_t stride = pixel_stride;
  for (size_t n = noncore.size(); n-- > 0;) {
    noncore[n] = {selection.extents[n].size(), stride};
    stride *= selection.extents[n].size();
  }
  absl::InlinedVector<bool, 4> has(noncore.size(), false);
  for (const PlannedAxis& axis : plan.axes) {
    switch (axis.kind) {
      case AxisKind::kCore:
        axes_.push_back({axis.stride, 0});
        break;
      case AxisKind::kNonCore:
        axes_.push_back({noncore[axis.noncore].stride,
                         selection.extents[axis.noncore].begin});
        has[axis.noncore] = true;
        break;
      case AxisKind::kBand:
        axes_.push_back({group.step, group.band});
        break;
    }
  }
  for (size_t n = 0; n < noncore.size(); ++n) {
    if (!has[n]) repeats_.push_back(noncore[n]);
  }
}

int64_t Placement::OffsetOf(const Box& box) const {
  int64_t offset = offset_;
  for (size_t d = 0; d < box.size(); ++d) {
    offset += (box[d].begin - axes_[d].origin) * axes_[d].stride;
  }
  return offset;
}

void Placement::Copy(const Box& box, const std::byte* source,
                     std::byte* first_pixel) const {
  absl::InlinedVector<CopyDimension, 8> dims;
  int64_t source_stride = element_bytes_;
  for (size_t d = box.size(); d-- > 0;) {
    dims.push_back({box[d].size(), source_stride, axes_[d].stride});
    source_stride *= box[d].size();
  }
  for (const Repeat& repeat : repeats_) {
    dims.push_back({repeat.count, 0, repeat.stride});
  }
  StridedCopy(dims, element_bytes_, source, first_pixel + OffsetOf(box));
}

void Placement::Fill(const Box& box, const std::byte* number,
                     std::byte* first_pixel) const {
  absl::InlinedVector<CopyDimension, 8> dims;
  for (size_t d = 0; d < box.size(); ++d) {
    dims.push_back({box[d].size(), 0, axes_[d].stride});
  }
  for (const Repeat& repeat : repeats_) {
    dims.push_back({repeat.count, 0, repeat.stride});
  }
  StridedCopy(dims, element_bytes_, number, first_pixel + OffsetOf(box));
}

}  // namespace internode::cube
