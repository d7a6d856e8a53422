#include "functions/band_columns.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace internode::functions {

ParameterSpec ScaledParameter() {
  ParameterSpec spec;
  spec.name = "scaled";
  spec.default_value = false;
  spec.help =
      "Apply scale_factor and add_offset: results in physical units instead "
      "of the file's packed numbers.";
  return spec;
}

PackedScale ScaleOf(const InputSeries& series, bool scaled) {
  if (!scaled) return {};
  return {series.scale_factor, series.add_offset};
}

core::LabelledDimension BandDimension(const FunctionInputs& inputs,
                                      const std::vector<size_t>& bands) {
  core::LabelledDimension dim = {"band", {}};
  for (const size_t b : bands) dim.labels.push_back(inputs.series[b].label);
  return dim;
}

core::Field BandField(absl::string_view name, core::DataType type,
                      absl::string_view long_name, absl::string_view units) {
  core::Field field;
  field.name = std::string(name);
  field.type = type;
  field.dims = {"band"};
  field.attributes = {{"long_name", std::string(long_name)}};
  if (!units.empty()) field.attributes.push_back({"units", std::string(units)});
  return field;
}

std::string CommonUnits(const FunctionInputs& inputs,
                        const std::vector<size_t>& bands, bool scaled) {
  if (bands.empty()) return "";
  const std::string& units = inputs.series[bands[0]].units;
  for (const size_t b : bands) {
    const InputSeries& series = inputs.series[b];
    const bool packed = series.scale_factor != 1 || series.add_offset != 0;
    if (series.units != units || (packed && !scaled)) return "";
  }
  return units;
}

absl::Status CheckCount(const FunctionInputs& inputs) {
  if (inputs.count <= std::numeric_limits<int32_t>::max()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a pixel has ", inputs.count, " numbers per band; at most ",
                   std::numeric_limits<int32_t>::max(), " can be counted"));
}

}  // namespace internode::functions
