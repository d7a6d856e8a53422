#ifndef INTERNODE_FUNCTIONS_ROLES_H_
#define INTERNODE_FUNCTIONS_ROLES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "core/job_spec.h"
#include "functions/function.h"

namespace internode::functions {

// One series that a cube offers to a function: a variable, or one band of a
// variable whose band dimension is core.
struct SeriesSource {
  // Into the cube's variables.
  size_t variable = 0;
  // Index along the band dimension, or -1.
  int64_t band = -1;
  // The band's own name: its text coordinate, or "[i]"; the variable's name
  // where there is no band.
  std::string name;
  // Unique in the cube: "red", or "reflectance[red]" where several variables
  // have the band dimension, "image[3]" where bands have no text.
  std::string label;
};

// Everything in `cube` that can be named for a role, in the file's order.
std::vector<SeriesSource> ListSources(
    const core::CubeInfo& cube, const std::vector<std::string>& core_dims);

// Which sources fill the roles of a function.
struct FilledRoles {
  // sources[r] are those of role r of the function.
  std::vector<std::vector<SeriesSource>> sources;
  // What was guessed, one sentence each.
  std::vector<std::string> notes;
  // The non-core dimensions, in the order of the data.
  core::Dimensions noncore_dims;
};

// Fills the roles of `function` with what `choices` name, in their order; the
// rest with what RoleSpec::guesses find; a repeated role for which nothing is
// named with all variables over the same dimensions that no other role took
// and whose names are no other role's guesses.
//
// A choice without a role is for the repeated role; else for the role that has
// its name or guesses it; else for the only role.
//
// A choice names a variable (all its bands, where the role is repeated), a
// band by its label, or one band of a variable as "image[red]" or "image[3]".
// All variables have the core dimensions and are over the same dimensions; the
// band dimension alone may be lacking.
//
// Errors (kInvalidArgument): unknown or repeated core dimensions, unknown
// roles and variables, a role filled twice or needed and left empty, variables
// over unequal dimensions.
absl::StatusOr<FilledRoles> FillRoles(
    const FunctionInfo& function, const core::CubeInfo& cube,
    const std::vector<std::string>& core_dims,
    const std::vector<core::VariableChoice>& choices);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_ROLES_H_
