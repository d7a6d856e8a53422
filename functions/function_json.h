#ifndef INTERNODE_FUNCTIONS_FUNCTION_JSON_H_
#define INTERNODE_FUNCTIONS_FUNCTION_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "functions/function.h"

namespace internode::functions {

// A function as `internode functions` prints it as JSON: name, version, help,
// parameters and roles.
nlohmann::ordered_json FunctionJson(const FunctionInfo& info);

// The same as one line of text, with "schema": 1. What is not UTF-8 is
// replaced.
std::string FunctionText(const FunctionInfo& info);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_FUNCTION_JSON_H_
