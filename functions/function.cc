#include "functions/function.h"

#include <algorithm>
#include <cmath>

namespace internode::functions {

bool InputSeries::IsValid(double v) const {
  if (!std::isfinite(v)) return false;
  if (valid_min.has_value() && v < *valid_min) return false;
  if (valid_max.has_value() && v > *valid_max) return false;
  return std::find(missing.begin(), missing.end(), v) == missing.end();
}

std::vector<size_t> FunctionInputs::WithRole(absl::string_view role) const {
  std::vector<size_t> indices;
  for (size_t i = 0; i < series.size(); ++i) {
    if (series[i].role == role) indices.push_back(i);
  }
  return indices;
}

}  // namespace internode::functions
