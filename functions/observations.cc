#include "functions/observations.h"

#include <algorithm>
#include <limits>

#include "core/data_type.h"

namespace internode::functions {

ObservationReader::ObservationReader(const FunctionInputs& inputs, size_t index)
    : index_(index),
      type_(inputs.series[index].type),
      min_(std::max(std::numeric_limits<double>::lowest(),
                    inputs.series[index].valid_min.value_or(
                        std::numeric_limits<double>::lowest()))),
      max_(std::min(std::numeric_limits<double>::max(),
                    inputs.series[index].valid_max.value_or(
                        std::numeric_limits<double>::max()))),
      missing_(inputs.series[index].missing) {}

void ObservationReader::Read(const core::Block& block, int64_t pixel,
                             absl::Span<double> values,
                             absl::Span<uint8_t> valid) const {
  core::VisitDataType(type_, [&](auto zero) {
    using T = decltype(zero);
    const absl::Span<const T> packed = block.Series<T>(pixel, index_);
    // Local copies, so that the compiler sees that nothing changes them.
    const double min = min_;
    const double max = max_;
    const size_t count = packed.size();
    for (size_t i = 0; i < count; ++i) {
      values[i] = static_cast<double>(packed[i]);
    }
    for (size_t i = 0; i < count; ++i) {
      valid[i] = static_cast<uint8_t>(values[i] >= min) &
                 static_cast<uint8_t>(values[i] <= max);
    }
    for (const double missing : missing_) {
      for (size_t i = 0; i < count; ++i) {
        valid[i] &= static_cast<uint8_t>(values[i] != missing);
      }
    }
  });
}

}  // namespace internode::functions
