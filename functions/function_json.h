#ifndef INTERNODE_FUNCTIONS_FUNCTION_JSON_H_
#define INTERNODE_FUNCTIONS_FUNCTION_JSON_H_

#include <nlohmann/json.hpp>

#include "functions/function.h"

namespace internode::functions {

// A function as `internode functions` prints it as JSON: name, version, help,
// parameters and roles.
nlohmann::ordered_json FunctionJson(const FunctionInfo& info);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_FUNCTION_JSON_H_
