#include "functions/ccdc/median.h"

#include <algorithm>

namespace internode::functions::ccdc {

double MedianOf(absl::Span<double> values) {
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace internode::functions::ccdc
