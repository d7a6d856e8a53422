#include "functions/ccdc/ccdc_options.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::functions::ccdc {
namespace {

using GivenParameters = functions::Parameters;

bool IsOneOf(absl::string_view word, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(),
                     [word](const char* one) { return word == one; });
}

ParameterSpec Number(const char* name, double value, double min, double max,
                     const char* help, std::vector<std::string> aliases = {}) {
  return {.name = name,
          .default_value = value,
          .help = help,
          .min = min,
          .max = max,
          .choices = {},
          .aliases = std::move(aliases)};
}

ParameterSpec Whole(const char* name, int64_t value, double min, double max,
                    const char* help, std::vector<std::string> aliases = {}) {
  ParameterSpec spec = Number(name, 0, min, max, help, std::move(aliases));
  spec.default_value = value;
  return spec;
}

ParameterSpec Word(const char* name, const char* value,
                   std::vector<std::string> choices, const char* help) {
  ParameterSpec spec;
  spec.name = name;
  spec.default_value = std::string(value);
  spec.choices = std::move(choices);
  spec.help = help;
  return spec;
}

ParameterSpec Words(const char* name, const char* help,
                    std::vector<std::string> aliases) {
  ParameterSpec spec;
  spec.name = name;
  spec.default_value = std::vector<std::string>{};
  spec.help = help;
  spec.aliases = std::move(aliases);
  return spec;
}

ParameterSpec Numbers(const char* name, std::vector<double> value,
                      const char* help, std::vector<std::string> aliases = {}) {
  ParameterSpec spec;
  spec.name = name;
  spec.default_value = std::move(value);
  spec.help = help;
  spec.aliases = std::move(aliases);
  return spec;
}

void AddQualitySpecs(std::vector<ParameterSpec>& specs) {
  specs.push_back(Word(
      "qa_encoding", "auto",
      {"auto", "cfmask", "landsat_ard", "landsat_c2", "clear_mask", "none"},
      "How quality codes are to be read; auto: by the variable's name."));
  specs.push_back(
      Numbers("qa_clear", {0}, "cfmask: codes of clear land.", {"QA_CLEAR"}));
  specs.push_back(
      Numbers("qa_water", {1}, "cfmask: codes of water.", {"QA_WATER"}));
  specs.push_back(
      Numbers("qa_shadow", {2}, "cfmask: codes of shadow.", {"QA_SHADOW"}));
  specs.push_back(
      Numbers("qa_snow", {3}, "cfmask: codes of snow.", {"QA_SNOW"}));
  specs.push_back(
      Numbers("qa_cloud", {4}, "cfmask: codes of cloud.", {"QA_CLOUD"}));
  specs.push_back(
      Numbers("qa_fill", {255}, "cfmask: codes of no data.", {"QA_FILL"}));
}

void AddScaleSpecs(std::vector<ParameterSpec>& specs) {
  specs.push_back(Numbers(
      "scale", {},
      "Factor from the file's numbers to reflectance x 10,000 (thermal: kelvin "
      "x 10), one or one per band; none: from the file's scale_factor, else 1 "
      "for integers and 10,000 (thermal: 10) for floats."));
  specs.push_back(
      Numbers("offset", {},
              "Added after `scale`, one or one per band; none: from the file's "
              "add_offset, else 0."));
  specs.push_back(Numbers("valid_min", {0},
                          "Reflectance x 10,000 must be greater, one or one "
                          "per reflective band."));
  specs.push_back(Numbers("valid_max", {10000},
                          "Reflectance x 10,000 must be less, one or one per "
                          "reflective band."));
  specs.push_back(Number("thermal_min", kThermalValidMin, -1e9, 1e9,
                         "Hundredths of a degree Celsius must be greater.",
                         {"THERMAL_MIN"}));
  specs.push_back(Number("thermal_max", kThermalValidMax, -1e9, 1e9,
                         "Hundredths of a degree Celsius must be less.",
                         {"THERMAL_MAX"}));
}

void AddDetectionSpecs(std::vector<ParameterSpec>& specs) {
  specs.push_back(Whole("meow_size", 12, 6, 1000,
                        "Observations of the smallest window.",
                        {"MEOW_SIZE", "minWindowObservations"}));
  specs.push_back(Whole("peek_size", 6, 2, 100,
                        "Observations that have to confirm a change, at 16 "
                        "days from one to the next; more if they are denser.",
                        {"minObservations", "PEEK_SIZE", "conse"}));
  specs.push_back(Number("min_years", 1, 0.1, 100,
                         "Smallest span of a first window, years.",
                         {"minYears"}));
  specs.push_back(Number("change_probability", 0.99, 1e-9, 1 - 1e-12,
                         "Chi-square probability above which an observation "
                         "speaks for a change.",
                         {"chiSquareProbability", "p_cg"}));
  specs.push_back(Number("outlier_probability", 0.999999, 1e-9, 1 - 1e-12,
                         "Chi-square probability above which a single "
                         "observation is dropped."));
  specs.push_back(Number("refit_factor", 1.33, 1, 100,
                         "Growth of the span after which a model is refitted.",
                         {"minNumOfYearsScaler"}));
  specs.push_back(Number("tmask_factor", 4.89, 0, 1e6,
                         "Tmask: madograms from the curve to an outlier.",
                         {"T_CONST"}));
  specs.push_back(Number("clear_fraction", 0.25, 0, 1,
                         "Share of clear observations from which changes are "
                         "looked for.",
                         {"CLEAR_PCT_THRESHOLD"}));
  specs.push_back(Number("snow_fraction", 0.75, 0, 1,
                         "Share of snow above which a pixel is persistent "
                         "snow.",
                         {"SNOW_PCT_THRESHOLD"}));
  specs.push_back(Number("green_excess", 400, 0, 1e12,
                         "Insufficiently clear pixels: reflectance x 10,000 "
                         "above the median of green at which haze begins.",
                         {"MEDIAN_GREEN_FILTER"}));
  specs.push_back(Whole("variogram_lag_days", 30, 0, 3650,
                        "Days beyond which differences of observations count "
                        "in the madogram."));
}

void AddRegressionSpecs(std::vector<ParameterSpec>& specs) {
  specs.push_back(Number("lambda", 1, 0, 1e12,
                         "Penalty of the lasso: |residual|^2 / 2n + lambda "
                         "|coefficients|, in the units of the bands.",
                         {"alpha", "ALPHA", "LASSO_ALPHA"}));
  specs.push_back(Whole("max_iterations", 1000, 1, 1000000,
                        "Sweeps of the lasso over the coefficients at most.",
                        {"maxIterations", "LASSO_MAX_ITER"}));
  specs.push_back(Number("tolerance", 1e-4, 1e-14, 1,
                         "Duality gap, relative to the variance, at which the "
                         "lasso stops."));
  specs.push_back(Number("year_length", 365.2425, 1, 10000,
                         "Days of a year in the regressions.",
                         {"AVG_DAYS_YR"}));
  specs.push_back(Whole("max_coefficients", 8, 4, 8,
                        "4, 6 or 8: coefficients of the fullest model.",
                        {"COEFFICIENT_MAX"}));
  specs.push_back(Whole("observations_per_coefficient", 3, 2, 100,
                        "Observations that each coefficient needs.",
                        {"NUM_OBS_FACTOR"}));
}

RoleSpec BandRole(const char* name, const char* help,
                  std::vector<std::string> guesses) {
  RoleSpec role;
  role.name = name;
  role.help = help;
  role.required = false;
  role.guesses = std::move(guesses);
  return role;
}

}  // namespace

std::vector<ParameterSpec> OptionSpecs() {
  std::vector<ParameterSpec> specs = {
      Word("compat", "pyccd", {"pyccd", "none"},
           "pyccd: lcmap-pyccd 2018.10.17 with its quirks; none: without "
           "those that are faults (docs/ccdc.md)."),
      Words("detection_bands",
            "Bands (roles or names) in which changes are looked for; none: "
            "green, red, nir, swir1, swir2 as far as there are.",
            {"breakpointBands", "DETECTION_BANDS"}),
      Words("tmask_bands",
            "Bands in which Tmask looks for outliers, or `none`; none given: "
            "green and swir1.",
            {"tmaskBands", "TMASK_BANDS"})};
  AddQualitySpecs(specs);
  AddScaleSpecs(specs);
  AddDetectionSpecs(specs);
  AddRegressionSpecs(specs);
  return specs;
}

std::vector<RoleSpec> OptionRoles() {
  std::vector<RoleSpec> roles = {
      BandRole("blue", "Reflectance in blue.", {"blue", "SR_B2", "B02", "B2"}),
      BandRole("green", "Reflectance in green.",
               {"green", "SR_B3", "B03", "B3"}),
      BandRole("red", "Reflectance in red.", {"red", "SR_B4", "B04", "B4"}),
      BandRole("nir", "Reflectance in the near infrared.",
               {"nir", "nir08", "SR_B5", "B8A", "B08", "B8", "B05", "B5"}),
      BandRole("swir1", "Reflectance at 1.6 um.",
               {"swir1", "swir16", "SR_B6", "B11", "B06", "B6"}),
      BandRole("swir2", "Reflectance at 2.2 um.",
               {"swir2", "swir22", "SR_B7", "B12", "B07", "B7"}),
      BandRole("thermal", "Brightness temperature.",
               {"thermal", "bt", "ST_B10", "ST_B6", "lwir11", "lwir", "tir",
                "B10"})};
  RoleSpec others = BandRole("bands", "Any other bands.", {});
  others.repeated = true;
  others.takes_rest = false;
  roles.push_back(others);
  RoleSpec qa = BandRole("qa", "Quality codes.",
                         {"qa", "cfmask", "fmask", "pixel_qa", "PIXELQA",
                          "QA_PIXEL", "clear_mask"});
  qa.codes = true;
  roles.push_back(qa);
  return roles;
}

namespace {

// Fills Options from the user's parameters and the cube's series.
class Chooser {
 public:
  Chooser(const GivenParameters& given, const FunctionInputs& inputs)
      : given_(given), inputs_(inputs), p_(options_.parameters) {}

  absl::StatusOr<Options> Choose() {
    INTERNODE_RETURN_IF_ERROR(ChooseBands());
    CopyNumbers();
    INTERNODE_RETURN_IF_ERROR(ChooseScales());
    INTERNODE_RETURN_IF_ERROR(ChooseRanges());
    INTERNODE_RETURN_IF_ERROR(ChooseDetection());
    INTERNODE_RETURN_IF_ERROR(ChooseTmask());
    INTERNODE_RETURN_IF_ERROR(ChooseQuality());
    INTERNODE_RETURN_IF_ERROR(CheckParameters(p_));
    return std::move(options_);
  }

 private:
  const InputSeries& Series(size_t band) const {
    return inputs_.series[options_.bands[band]];
  }
  bool IsThermal(size_t band) const { return Series(band).role == "thermal"; }
  void Note(std::string text) { options_.notes.push_back(std::move(text)); }
  std::string Names(const std::vector<int>& bands) const {
    return absl::StrJoin(bands, ", ", [this](std::string* out, int band) {
      absl::StrAppend(out, Series(static_cast<size_t>(band)).label);
    });
  }

  absl::Status ChooseBands();
  absl::Status CheckLandsat() const;
  void CopyNumbers();
  absl::Status ChooseScales();
  absl::Status ChooseRanges();
  absl::Status ChooseDetection();
  absl::Status ChooseTmask();
  absl::Status ChooseQuality();
  absl::StatusOr<std::vector<int>> BandsNamed(
      absl::string_view parameter) const;
  std::vector<int> BandsWithRoles(std::initializer_list<const char*>) const;
  // Number `band` of a list of none, one or all.
  absl::StatusOr<double> Entry(absl::string_view parameter, size_t band,
                               size_t bands, double otherwise) const;
  QaEncoding GuessEncoding(const InputSeries& series);

  const GivenParameters& given_;
  const FunctionInputs& inputs_;
  Options options_;
  Parameters& p_;
};

absl::Status Chooser::ChooseBands() {
  for (size_t s = 0; s < inputs_.series.size(); ++s) {
    const std::string& role = inputs_.series[s].role;
    if (role == "qa") continue;
    if (role == "thermal") {
      p_.thermal_band = static_cast<int>(options_.bands.size());
    }
    if (role == "green") {
      p_.green_band = static_cast<int>(options_.bands.size());
    }
    options_.bands.push_back(s);
  }
  if (!options_.bands.empty()) return CheckLandsat();
  return absl::InvalidArgumentError(
      "ccdc has no bands: no variable has a name that it knows (blue, SR_B2, "
      "B2, ...); name some, e.g. --variables red=NAME,nir=NAME or "
      "bands=NAME,NAME");
}

// Landsat 4 to 7 number their bands otherwise than Landsat 8 and 9, whose names
// are the ones that are guessed; only they have a seventh and no sixth.
absl::Status Chooser::CheckLandsat() const {
  bool nir_is_5 = false;
  bool swir2_is_7 = false;
  bool has_swir1 = false;
  for (const size_t s : options_.bands) {
    const InputSeries& series = inputs_.series[s];
    nir_is_5 |=
        series.role == "nir" && absl::EqualsIgnoreCase(series.label, "SR_B5");
    swir2_is_7 |=
        series.role == "swir2" && absl::EqualsIgnoreCase(series.label, "SR_B7");
    has_swir1 |= series.role == "swir1";
  }
  if (!nir_is_5 || !swir2_is_7 || has_swir1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the bands SR_B5 and SR_B7 without SR_B6 are those of Landsat 4 to 7; "
      "name them: --variables blue=SR_B1,green=SR_B2,red=SR_B3,nir=SR_B4,"
      "swir1=SR_B5,swir2=SR_B7");
}

void Chooser::CopyNumbers() {
  const auto whole = [this](absl::string_view name) {
    return static_cast<int>(given_.GetInt(name));
  };
  p_.compat =
      given_.GetText("compat") == "none" ? Compat::kNone : Compat::kPyccd;
  p_.meow_size = whole("meow_size");
  p_.peek_size = whole("peek_size");
  p_.min_years = given_.GetDouble("min_years");
  p_.year_length = given_.GetDouble("year_length");
  p_.change_probability = given_.GetDouble("change_probability");
  p_.outlier_probability = given_.GetDouble("outlier_probability");
  p_.lambda = given_.GetDouble("lambda");
  p_.tolerance = given_.GetDouble("tolerance");
  p_.max_iterations = whole("max_iterations");
  p_.max_coefficients = whole("max_coefficients");
  p_.observations_per_coefficient = whole("observations_per_coefficient");
  p_.refit_factor = given_.GetDouble("refit_factor");
  p_.tmask_factor = given_.GetDouble("tmask_factor");
  p_.clear_fraction = given_.GetDouble("clear_fraction");
  p_.snow_fraction = given_.GetDouble("snow_fraction");
  p_.green_excess = given_.GetDouble("green_excess");
  p_.variogram_lag_days = whole("variogram_lag_days");
}

absl::StatusOr<double> Chooser::Entry(absl::string_view parameter, size_t band,
                                      size_t bands, double otherwise) const {
  const std::vector<double> list = given_.GetNumbers(parameter);
  if (list.empty()) return otherwise;
  if (list.size() == 1) return list[0];
  if (list.size() == bands) return list[band];
  return absl::InvalidArgumentError(absl::StrCat(
      "parameter '", parameter, "' has ", list.size(),
      " numbers; give one, or one for each of the ", bands, " bands"));
}

// Factors stored as float32 are taken for the round numbers that they mean.
double Rounded(double x) {
  const double nearest = std::round(x * 1e6) / 1e6;
  return std::fabs(x - nearest) <= 1e-6 * std::fabs(x) ? nearest : x;
}

absl::Status Chooser::ChooseScales() {
  const size_t n = options_.bands.size();
  p_.bands.resize(n);
  for (size_t b = 0; b < n; ++b) {
    const InputSeries& series = Series(b);
    const double unit = IsThermal(b) ? 10 : 10000;
    const bool packed = series.scale_factor != 1 || series.add_offset != 0;
    double scale = 1;
    double offset = 0;
    if (packed) {
      scale = Rounded(series.scale_factor * unit);
      offset = Rounded(series.add_offset * unit);
    } else if (core::IsFloat(series.type)) {
      scale = unit;
    }
    BandParameters& band = p_.bands[b];
    INTERNODE_ASSIGN_OR_RETURN(band.scale, Entry("scale", b, n, scale));
    INTERNODE_ASSIGN_OR_RETURN(band.offset, Entry("offset", b, n, offset));
    band.missing = series.missing;
    if (series.valid_min) band.raw_min = *series.valid_min;
    if (series.valid_max) band.raw_max = *series.valid_max;
    if (!given_.IsGiven("scale") && band.scale != 1) {
      Note(absl::StrCat(series.label, ": multiplied by ", band.scale,
                        " (--param scale=... for another)"));
    }
  }
  return absl::OkStatus();
}

absl::Status Chooser::ChooseRanges() {
  const size_t thermal = p_.thermal_band < 0 ? 0 : 1;
  const size_t reflective = options_.bands.size() - thermal;
  size_t r = 0;
  for (size_t b = 0; b < options_.bands.size(); ++b) {
    BandParameters& band = p_.bands[b];
    if (IsThermal(b)) {
      band.valid_min = given_.GetDouble("thermal_min");
      band.valid_max = given_.GetDouble("thermal_max");
      continue;
    }
    INTERNODE_ASSIGN_OR_RETURN(band.valid_min,
                               Entry("valid_min", r, reflective, 0));
    INTERNODE_ASSIGN_OR_RETURN(band.valid_max,
                               Entry("valid_max", r, reflective, 10000));
    ++r;
  }
  return absl::OkStatus();
}

std::vector<int> Chooser::BandsWithRoles(
    std::initializer_list<const char*> roles) const {
  std::vector<int> bands;
  for (size_t b = 0; b < options_.bands.size(); ++b) {
    if (IsOneOf(Series(b).role, roles)) bands.push_back(static_cast<int>(b));
  }
  return bands;
}

absl::StatusOr<std::vector<int>> Chooser::BandsNamed(
    absl::string_view parameter) const {
  std::vector<int> bands;
  for (const std::string& word : given_.GetWords(parameter)) {
    std::vector<std::string> names;
    int found = -1;
    for (size_t b = 0; b < options_.bands.size(); ++b) {
      const InputSeries& series = Series(b);
      names.push_back(series.role == "bands" ? series.label : series.role);
      if (absl::EqualsIgnoreCase(word, series.label) ||
          (series.role != "bands" &&
           absl::EqualsIgnoreCase(word, series.role))) {
        found = static_cast<int>(b);
      }
    }
    if (found < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter '", parameter, "' names band '", word, "'; ",
                       WhatExists("there are", word, names)));
    }
    bands.push_back(found);
  }
  return bands;
}

absl::Status Chooser::ChooseDetection() {
  INTERNODE_ASSIGN_OR_RETURN(p_.detection_bands, BandsNamed("detection_bands"));
  if (!p_.detection_bands.empty()) return absl::OkStatus();
  p_.detection_bands =
      BandsWithRoles({"green", "red", "nir", "swir1", "swir2"});
  if (p_.detection_bands.empty()) {
    for (size_t b = 0; b < options_.bands.size(); ++b) {
      if (!IsThermal(b) || options_.bands.size() == 1) {
        p_.detection_bands.push_back(static_cast<int>(b));
      }
    }
  }
  Note(absl::StrCat("detection_bands: ", Names(p_.detection_bands)));
  return absl::OkStatus();
}

absl::Status Chooser::ChooseTmask() {
  const std::vector<std::string> words = given_.GetWords("tmask_bands");
  if (words.size() == 1 && words[0] == "none") return absl::OkStatus();
  INTERNODE_ASSIGN_OR_RETURN(p_.tmask_bands, BandsNamed("tmask_bands"));
  if (!p_.tmask_bands.empty()) return absl::OkStatus();
  p_.tmask_bands = BandsWithRoles({"green", "swir1"});
  Note(absl::StrCat("tmask_bands: ", p_.tmask_bands.empty()
                                         ? "none (no green or swir1)"
                                         : Names(p_.tmask_bands)));
  return absl::OkStatus();
}

QaEncoding Chooser::GuessEncoding(const InputSeries& series) {
  const std::string name = absl::AsciiStrToLower(series.label);
  QaEncoding encoding = QaEncoding::kCfmask;
  const char* text = "cfmask";
  if (absl::StrContains(name, "qa_pixel")) {
    encoding = QaEncoding::kLandsatC2;
    text = "landsat_c2";
  } else if (absl::StrContains(name, "pixel_qa") ||
             absl::StrContains(name, "pixelqa")) {
    encoding = QaEncoding::kLandsatArd;
    text = "landsat_ard";
  } else if (absl::StrContains(name, "clear")) {
    encoding = QaEncoding::kClearMask;
    text = "clear_mask";
  }
  Note(absl::StrCat("qa_encoding: ", text, ", by the name ", series.label));
  return encoding;
}

absl::StatusOr<std::vector<int64_t>> Codes(const GivenParameters& given,
                                           absl::string_view name) {
  std::vector<int64_t> codes;
  for (const double code : given.GetNumbers(name)) {
    if (code != std::floor(code) || std::fabs(code) > 9007199254740992.0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "parameter '", name, "' has ", code, "; codes are whole numbers"));
    }
    codes.push_back(static_cast<int64_t>(code));
  }
  return codes;
}

absl::Status Chooser::ChooseQuality() {
  const std::vector<size_t> qa = inputs_.WithRole("qa");
  const std::string text = given_.GetText("qa_encoding");
  if (text == "none" || (text == "auto" && qa.empty())) {
    p_.qa_encoding = QaEncoding::kNone;
    if (text == "auto") Note("qa: none, so that all observations are clear");
    return absl::OkStatus();
  }
  if (qa.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "parameter 'qa_encoding' is ", text,
        ", but there is no variable for the role 'qa'; name one with "
        "--variables qa=NAME"));
  }
  options_.qa = qa[0];
  const InputSeries& series = inputs_.series[qa[0]];
  if (core::IsFloat(series.type)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the quality variable '", series.label,
                     "' has floating-point numbers; codes are integers"));
  }
  if (text == "auto") p_.qa_encoding = GuessEncoding(series);
  if (text == "landsat_ard") p_.qa_encoding = QaEncoding::kLandsatArd;
  if (text == "landsat_c2") p_.qa_encoding = QaEncoding::kLandsatC2;
  if (text == "clear_mask") p_.qa_encoding = QaEncoding::kClearMask;
  QaValues& values = p_.qa_values;
  INTERNODE_ASSIGN_OR_RETURN(values.clear, Codes(given_, "qa_clear"));
  INTERNODE_ASSIGN_OR_RETURN(values.water, Codes(given_, "qa_water"));
  INTERNODE_ASSIGN_OR_RETURN(values.shadow, Codes(given_, "qa_shadow"));
  INTERNODE_ASSIGN_OR_RETURN(values.snow, Codes(given_, "qa_snow"));
  INTERNODE_ASSIGN_OR_RETURN(values.cloud, Codes(given_, "qa_cloud"));
  INTERNODE_ASSIGN_OR_RETURN(values.fill, Codes(given_, "qa_fill"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> ChooseOptions(const GivenParameters& given,
                                      const FunctionInputs& inputs) {
  return Chooser(given, inputs).Choose();
}

}  // namespace internode::functions::ccdc
