#ifndef INTERNODE_FUNCTIONS_BUILTINS_H_
#define INTERNODE_FUNCTIONS_BUILTINS_H_

#include <memory>

#include "functions/function.h"

// The functions that need nothing but this module. What each computes is said
// in its FunctionInfo::description.

namespace internode::functions {

// Least-squares harmonic regression: one record per pixel.
std::shared_ptr<const Function> MakeHarmonicFunction();

// A fixed number of constant records per pixel; reads its inputs and leaves
// them alone.
std::shared_ptr<const Function> MakeNoopFunction();

// Count, mean, extremes and standard deviation: one record per pixel.
std::shared_ptr<const Function> MakeStatsFunction();

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_BUILTINS_H_
