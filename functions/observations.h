#ifndef INTERNODE_FUNCTIONS_OBSERVATIONS_H_
#define INTERNODE_FUNCTIONS_OBSERVATIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "core/block.h"
#include "functions/function.h"

namespace internode::functions {

// Reads one series of a block, whatever its type, as doubles, and tells which
// of its values are observations (InputSeries::IsValid). Integers of more than
// 53 bits are rounded. Thread-safe: immutable.
class ObservationReader {
 public:
  // Of series `index` of `inputs`.
  ObservationReader(const FunctionInputs& inputs, size_t index);

  size_t index() const { return index_; }

  // Writes the packed values of pixel `pixel` to `values`, and 1 or 0 to
  // `valid` for each; both have the series' length.
  void Read(const core::Block& block, int64_t pixel, absl::Span<double> values,
            absl::Span<uint8_t> valid) const;

 private:
  size_t index_;
  core::DataType type_;
  // Infinity and NaN are outside.
  double min_;
  double max_;
  std::vector<double> missing_;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_OBSERVATIONS_H_
