#include "cube/box.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace internode::cube {

using core::Extent;

Box BoxOf(const PlannedVariable& plan, const SeriesGroup& group,
          const core::Selection& selection) {
  Box box;
  for (const PlannedAxis& axis : plan.axes) {
    switch (axis.kind) {
      case AxisKind::kCore:
        box.push_back(Extent::Range(0, axis.size));
        break;
      case AxisKind::kNonCore:
        box.push_back(selection.extents[axis.noncore]);
        break;
      case AxisKind::kBand:
        box.push_back(Extent::Range(group.band, group.band + group.count));
        break;
    }
  }
  return box;
}

int64_t NumElements(const Box& box) {
  int64_t elements = 1;
  for (const Extent& extent : box) elements *= extent.size();
  return elements;
}

bool IsEmpty(const Box& box) {
  return std::any_of(box.begin(), box.end(), [](const Extent& extent) {
    return extent.begin >= extent.end;
  });
}

std::string BoxText(const core::VariableInfo& info, const Box& box) {
  std::vector<std::string> parts;
  for (size_t d = 0; d < box.size(); ++d) {
    parts.push_back(
        absl::StrCat(info.dims[d].name, "=", box[d].begin, ":", box[d].end));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace internode::cube
