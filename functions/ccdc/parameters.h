#ifndef INTERNODE_FUNCTIONS_CCDC_PARAMETERS_H_
#define INTERNODE_FUNCTIONS_CCDC_PARAMETERS_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"

namespace internode::functions::ccdc {

// How quality codes are to be read.
//   kCfmask      0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255 fill;
//                the codes can be changed (QaValues).
//   kLandsatArd  Landsat ARD PIXELQA: bits 0 fill, 1 clear, 2 water,
//                3 shadow, 4 snow, 5 cloud, 8-9 cirrus, 10 terrain occlusion.
//   kLandsatC2   Landsat Collection 2 QA_PIXEL: bits 0 fill, 1 dilated cloud,
//                2 cirrus, 3 cloud, 4 shadow, 5 snow, 6 clear, 7 water.
//   kClearMask   zero is not clear, anything else is clear.
//   kNone        there are no quality codes: all observations are clear.
enum class QaEncoding { kCfmask, kLandsatArd, kLandsatC2, kClearMask, kNone };

// kPyccd reproduces lcmap-pyccd 2018.10.17; kNone replaces the behaviour that
// is plainly a fault (docs/ccdc.md lists each difference).
enum class Compat { kPyccd, kNone };

// Codes of QaEncoding::kCfmask; a code that is in several lists belongs to the
// first of fill, clear, water, shadow, snow, cloud.
struct QaValues {
  std::vector<int64_t> clear = {0};
  std::vector<int64_t> water = {1};
  std::vector<int64_t> shadow = {2};
  std::vector<int64_t> snow = {3};
  std::vector<int64_t> cloud = {4};
  std::vector<int64_t> fill = {255};
};

// value = raw * scale + offset. Reflectances are scaled to units of 1/10,000,
// the thermal band to tenths of a kelvin. An observation is used if
// valid_min < value < valid_max; the limits of the thermal band are in
// hundredths of a degree Celsius.
struct BandParameters {
  double scale = 1;
  double offset = 0;
  double valid_min = 0;
  double valid_max = 10000;
  // Raw values that are no observations, and the inclusive range of raw values
  // outside of which none are.
  std::vector<double> missing;
  double raw_min = -std::numeric_limits<double>::infinity();
  double raw_max = std::numeric_limits<double>::infinity();
};

inline constexpr double kThermalValidMin = -9320;
inline constexpr double kThermalValidMax = 7070;

struct Parameters {
  std::vector<BandParameters> bands;  // at least one
  std::vector<int> detection_bands;   // indices into bands, at least one
  std::vector<int> tmask_bands;       // may be empty: no Tmask
  int thermal_band = -1;              // -1: none
  int green_band = -1;                // -1: no filter of hazy observations

  QaEncoding qa_encoding = QaEncoding::kCfmask;
  QaValues qa_values;
  Compat compat = Compat::kPyccd;

  int meow_size = 12;             // smallest window, observations
  int peek_size = 6;              // observations that have to confirm a change
  double min_years = 1;           // smallest span of the first window
  double year_length = 365.2425;  // days, in regression and Tmask
  double change_probability = 0.99;
  double outlier_probability = 0.999999;

  double lambda = 1;        // lasso penalty of the mean squared error / 2
  double tolerance = 1e-4;  // of the duality gap, relative
  int max_iterations = 1000;
  int max_coefficients = 8;  // 4, 6 or 8, the intercept included
  int observations_per_coefficient = 3;
  double refit_factor = 1.33;  // a model is refitted when its span grew so far

  double tmask_factor = 4.89;
  double clear_fraction = 0.25;
  double snow_fraction = 0.75;
  double green_excess = 400;
  int variogram_lag_days = 30;
};

inline constexpr int kMaxBands = 64;

// OK, or kInvalidArgument naming the parameter, its value and its range.
absl::Status CheckParameters(const Parameters& parameters);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_PARAMETERS_H_
