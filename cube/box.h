#ifndef INTERNODE_CUBE_BOX_H_
#define INTERNODE_CUBE_BOX_H_

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"

#include "core/cube_info.h"
#include "core/selection.h"
#include "cube/block_plan.h"

namespace internode::cube {

// A range per storage dimension of a variable.
using Box = absl::InlinedVector<core::Extent, 5>;

// What `selection` and `group` take of the variable `plan`.
Box BoxOf(const PlannedVariable& plan, const SeriesGroup& group,
          const core::Selection& selection);

// The number of elements of `box`.
int64_t NumElements(const Box& box);

bool IsEmpty(const Box& box);

// "time=0:882, y=0:2".
std::string BoxText(const core::VariableInfo& info, const Box& box);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BOX_H_
