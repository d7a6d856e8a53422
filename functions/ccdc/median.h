#ifndef INTERNODE_FUNCTIONS_CCDC_MEDIAN_H_
#define INTERNODE_FUNCTIONS_CCDC_MEDIAN_H_

#include "absl/types/span.h"

namespace internode::functions::ccdc {

// The mean of the two middle values if their number is even. Overwrites
// the values. At least one value, no NaN.
double MedianOf(absl::Span<double> values);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_MEDIAN_H_
