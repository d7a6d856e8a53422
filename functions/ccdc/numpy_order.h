#ifndef INTERNODE_FUNCTIONS_CCDC_NUMPY_ORDER_H_
#define INTERNODE_FUNCTIONS_CCDC_NUMPY_ORDER_H_

#include <cstdint>

#include "absl/types/span.h"

namespace internode::functions::ccdc {

// Fills `order` with the indices of `keys` in ascending order of the keys,
// equal keys in the order in which numpy before 1.25 leaves them by default:
// that of its introsort (median of three, insertion sort up to 16 elements,
// heap sort when partitions nest too deeply). The reference keeps the first
// observation of a date in this order. Both spans have the same size.
void NumpyOrder(absl::Span<const int64_t> keys, absl::Span<int32_t> order);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_NUMPY_ORDER_H_
