#ifndef INTERNODE_FUNCTIONS_BAND_COLUMNS_H_
#define INTERNODE_FUNCTIONS_BAND_COLUMNS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "core/record_schema.h"
#include "functions/function.h"
#include "functions/parameter.h"

// What built-in functions with a record per pixel and a column per statistic
// over the bands have in common.

namespace internode::functions {

// physical = packed * factor + offset.
struct PackedScale {
  double factor = 1;
  double offset = 0;

  double Physical(double packed) const { return packed * factor + offset; }
};

// The parameter `scaled`: whether scale_factor and add_offset apply.
ParameterSpec ScaledParameter();

// That of `series`, or the identity unless `scaled`.
PackedScale ScaleOf(const InputSeries& series, bool scaled);

// The dimension `band` of the series `bands`, labelled as they are.
core::LabelledDimension BandDimension(const FunctionInputs& inputs,
                                      const std::vector<size_t>& bands);

// A column over `band`. Empty `units`: none is stated.
core::Field BandField(absl::string_view name, core::DataType type,
                      absl::string_view long_name, absl::string_view units);

// The units that all of `bands` share, if values are scaled to them.
std::string CommonUnits(const FunctionInputs& inputs,
                        const std::vector<size_t>& bands, bool scaled);

// An error (kInvalidArgument) when a series has more numbers than a count in
// an int32 column can say.
absl::Status CheckCount(const FunctionInputs& inputs);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_BAND_COLUMNS_H_
