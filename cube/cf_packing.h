#ifndef INTERNODE_CUBE_CF_PACKING_H_
#define INTERNODE_CUBE_CF_PACKING_H_

#include <optional>

#include "core/attribute.h"
#include "core/cube_info.h"
#include "core/data_type.h"

namespace internode::cube {

// The type that the stored type `stored` means under the attribute _Unsigned
// ("true" or "false", netCDF users' guide): the bits of a signed integer may
// be an unsigned one, and the reverse.
core::DataType MeantType(core::DataType stored,
                         const core::Attributes& attributes);

// Sets what `variable`'s attributes say about its numbers: missing, valid_min,
// valid_max, scale_factor and add_offset (CF conventions, sections 2.5 and 8).
// `stored` is the type in the file, `variable`'s own the meant one. A missing
// value that the type cannot hold occurs nowhere, and is left out.
void SetPacking(core::DataType stored, core::VariableInfo* variable);

// The first number of the attribute `name`, or nothing.
std::optional<double> NumberAttribute(const core::Attributes& attributes,
                                      absl::string_view name);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CF_PACKING_H_
