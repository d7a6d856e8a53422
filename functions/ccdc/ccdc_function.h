#ifndef INTERNODE_FUNCTIONS_CCDC_CCDC_FUNCTION_H_
#define INTERNODE_FUNCTIONS_CCDC_CCDC_FUNCTION_H_

#include <memory>

#include "functions/function.h"

namespace internode::functions {

// Continuous Change Detection and Classification: the stable segments of each
// pixel's series, one record each (docs/ccdc.md).
std::shared_ptr<const Function> MakeCcdcFunction();

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_CCDC_CCDC_FUNCTION_H_
