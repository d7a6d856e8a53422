#include "functions/ccdc/parameters.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace internode::functions::ccdc {
namespace {

absl::Status CheckBandList(absl::string_view name, const std::vector<int>& list,
                           int bands, bool may_be_empty) {
  if (list.empty() && !may_be_empty) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is empty; at least one band is needed"));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] < 0 || list[i] >= bands) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, " names band ", list[i], "; there are ", bands, " bands"));
    }
    if (std::count(list.begin(), list.end(), list[i]) > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " names band ", list[i], " twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRange(absl::string_view name, double value, double low,
                        double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, " is ", value, "; it must be in [", low, ", ", high, "]"));
}

absl::Status CheckBands(const Parameters& p) {
  const int bands = static_cast<int>(p.bands.size());
  if (p.bands.empty() || bands > kMaxBands) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", bands, " bands; 1 to ", kMaxBands, " are possible"));
  }
  for (int b = 0; b < bands; ++b) {
    const BandParameters& band = p.bands[static_cast<size_t>(b)];
    if (!std::isfinite(band.scale) || band.scale == 0 ||
        !std::isfinite(band.offset)) {
      return absl::InvalidArgumentError(
          absl::StrCat("band ", b, " has scale ", band.scale, " and offset ",
                       band.offset, "; they must be finite, the scale not 0"));
    }
    if (!(band.valid_min < band.valid_max)) {
      return absl::InvalidArgumentError(
          absl::StrCat("band ", b, " has the valid range (", band.valid_min,
                       ", ", band.valid_max, "), which is empty"));
    }
  }
  if (p.thermal_band < -1 || p.thermal_band >= bands || p.green_band < -1 ||
      p.green_band >= bands) {
    return absl::InvalidArgumentError(
        absl::StrCat("thermal band ", p.thermal_band, " or green band ",
                     p.green_band, " is none of the ", bands, " bands"));
  }
  absl::Status status =
      CheckBandList("detection_bands", p.detection_bands, bands, false);
  if (!status.ok()) return status;
  return CheckBandList("tmask_bands", p.tmask_bands, bands, true);
}

}  // namespace

absl::Status CheckParameters(const Parameters& p) {
  absl::Status status = CheckBands(p);
  const auto check = [&status](absl::string_view name, double value, double low,
                               double high) {
    if (status.ok()) status = CheckRange(name, value, low, high);
  };
  check("meow_size", p.meow_size, 6, 1000);
  check("peek_size", p.peek_size, 2, 100);
  check("min_years", p.min_years, 0.1, 100);
  check("year_length", p.year_length, 1, 10000);
  check("change_probability", p.change_probability, 1e-9, 1 - 1e-12);
  check("outlier_probability", p.outlier_probability, 1e-9, 1 - 1e-12);
  check("lambda", p.lambda, 0, 1e12);
  check("tolerance", p.tolerance, 1e-14, 1);
  check("max_iterations", p.max_iterations, 1, 1000000);
  check("observations_per_coefficient", p.observations_per_coefficient, 2, 100);
  check("refit_factor", p.refit_factor, 1, 100);
  check("tmask_factor", p.tmask_factor, 0, 1e6);
  check("clear_fraction", p.clear_fraction, 0, 1);
  check("snow_fraction", p.snow_fraction, 0, 1);
  check("green_excess", p.green_excess, 0, 1e12);
  check("variogram_lag_days", p.variogram_lag_days, 0, 3650);
  if (status.ok() && p.max_coefficients != 4 && p.max_coefficients != 6 &&
      p.max_coefficients != 8) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_coefficients is ", p.max_coefficients, "; it must be 4, 6 or 8"));
  }
  return status;
}

}  // namespace internode::functions::ccdc
