#ifndef INTERNODE_FUNCTIONS_CCDC_CCDC_OPTIONS_H_
#define INTERNODE_FUNCTIONS_CCDC_CCDC_OPTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "functions/ccdc/parameters.h"
#include "functions/function.h"
#include "functions/parameter.h"

// From what the user says and what the cube offers to the kernel's parameters.

namespace internode::functions::ccdc {

// The parameters and roles that the function `ccdc` declares.
std::vector<ParameterSpec> OptionSpecs();
std::vector<RoleSpec> OptionRoles();

// Which series of a block are what, and how to compute with them.
struct Options {
  Parameters parameters;
  std::vector<size_t> bands;  // series, in the order of parameters.bands
  size_t qa = 0;              // series, unless parameters.qa_encoding is kNone
  // What was chosen for the user, one sentence each.
  std::vector<std::string> notes;
};

// Errors (kInvalidArgument): no bands, unknown band names, values that do not
// fit each other.
absl::StatusOr<Options> ChooseOptions(const functions::Parameters& given,
                                      const FunctionInputs& inputs);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_CCDC_OPTIONS_H_
