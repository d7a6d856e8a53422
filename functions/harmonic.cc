#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "base/status_macros.h"
#include "functions/band_columns.h"
#include "functions/builtins.h"
#include "functions/clear_codes.h"
#include "functions/harmonic_design.h"
#include "functions/least_squares.h"
#include "functions/observations.h"

namespace internode::functions {
namespace {

constexpr int32_t kNoDate = std::numeric_limits<int32_t>::min();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What all kernels of a job share.
struct HarmonicPlan {
  HarmonicPlan(std::vector<double> dates, int64_t harmonics)
      : days(std::move(dates)), design(days, harmonics) {}

  const std::vector<double> days;
  const HarmonicDesign design;
  std::vector<ObservationReader> bands;
  std::vector<PackedScale> scales;
  std::optional<ObservationReader> quality;
  ClearCodes clear;
  std::vector<std::string> notes;
  std::shared_ptr<const core::RecordSchema> schema;
  int64_t t_start = 0;
  int64_t t_end = 0;
  int64_t n_obs = 0;
  int64_t coefs = 0;
  int64_t rmse = 0;
};

class HarmonicKernel final : public Kernel {
 public:
  explicit HarmonicKernel(std::shared_ptr<const HarmonicPlan> plan)
      : plan_(std::move(plan)),
        values_(plan_->days.size()),
        clear_(plan_->days.size()),
        used_(plan_->days.size()),
        factored_(plan_->days.size()),
        coefs_(plan_->design.num_terms()) {}

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    for (int64_t p = 0; p < block.num_pixels(); ++p) {
      RunPixel(block, p, result);
    }
    return absl::OkStatus();
  }

 private:
  void RunPixel(const core::Block& block, int64_t p,
                core::BlockResult* result) {
    FindClear(block, p);
    first_day_ = std::numeric_limits<double>::infinity();
    last_day_ = -first_day_;
    has_factored_ = false;
    uint8_t* row = result->AddRecord();
    bool any = false;
    for (size_t b = 0; b < plan_->bands.size(); ++b) {
      any = FitBand(block, p, b, row) || any;
    }
    core::StoreField(row, plan_->t_start, any ? Day(first_day_) : kNoDate);
    core::StoreField(row, plan_->t_end, any ? Day(last_day_) : kNoDate);
    result->FinishPixel(any ? core::PixelStatus::kOk
                            : core::PixelStatus::kTooFewObservations);
  }

  static int32_t Day(double day) {
    constexpr double kMin = kNoDate + 1.0;
    constexpr double kMax = std::numeric_limits<int32_t>::max();
    return static_cast<int32_t>(std::clamp(std::floor(day), kMin, kMax));
  }

  void FindClear(const core::Block& block, int64_t p) {
    if (!plan_->quality.has_value()) {
      std::fill(clear_.begin(), clear_.end(), uint8_t{1});
      return;
    }
    plan_->quality->Read(block, p, absl::MakeSpan(values_),
                         absl::MakeSpan(clear_));
    KeepClear(plan_->clear, values_, absl::MakeSpan(clear_));
  }

  // Fits band `b` and writes its columns. False when it could not be fitted.
  bool FitBand(const core::Block& block, int64_t p, size_t b, uint8_t* row) {
    plan_->bands[b].Read(block, p, absl::MakeSpan(values_),
                         absl::MakeSpan(used_));
    size_t n = 0;
    for (size_t i = 0; i < used_.size(); ++i) {
      used_[i] &= clear_[i];
      values_[n] = values_[i];
      n += used_[i];
    }
    const auto k = static_cast<int64_t>(b);
    core::StoreField(row, plan_->n_obs, static_cast<int32_t>(n), k);
    const bool fitted = FactorUsed(n);
    double rmse = kNaN;
    if (fitted) {
      rmse = Solve(n, plan_->scales[b]);
    } else {
      std::fill(coefs_.begin(), coefs_.end(), kNaN);
    }
    core::StoreField(row, plan_->rmse, rmse, k);
    const auto terms = static_cast<int64_t>(coefs_.size());
    for (int64_t c = 0; c < terms; ++c) {
      core::StoreField(row, plan_->coefs, coefs_[static_cast<size_t>(c)],
                       k * terms + c);
    }
    return fitted;
  }

  // Factors the design at the `n` dates that are used, unless the band before
  // used the very same.
  bool FactorUsed(size_t n) {
    if (has_factored_ && used_ == factored_) return is_regular_;
    factored_ = used_;
    has_factored_ = true;
    is_regular_ = n >= plan_->design.num_terms();
    if (!is_regular_) return false;
    plan_->design.Gather(used_, n, fit_.Reset(n, plan_->design.num_terms()));
    is_regular_ = fit_.Factor();
    if (!is_regular_) return false;
    for (size_t i = 0; i < used_.size(); ++i) {
      if (used_[i] == 0) continue;
      first_day_ = std::min(first_day_, plan_->days[i]);
      last_day_ = std::max(last_day_, plan_->days[i]);
    }
    return true;
  }

  // Fits the first `n` of values_; returns the RMSE.
  double Solve(size_t n, const PackedScale& scale) {
    const double rss =
        fit_.Solve(absl::MakeSpan(values_.data(), n), absl::MakeSpan(coefs_));
    plan_->design.ToRawTime(absl::MakeSpan(coefs_));
    for (double& coef : coefs_) coef *= scale.factor;
    coefs_[0] += scale.offset;
    return std::sqrt(rss / static_cast<double>(n)) * std::abs(scale.factor);
  }

  const std::shared_ptr<const HarmonicPlan> plan_;
  std::vector<double> values_;
  std::vector<uint8_t> clear_;
  std::vector<uint8_t> used_;
  // The dates that fit_ is factored for, and whether it could be.
  std::vector<uint8_t> factored_;
  bool has_factored_ = false;
  bool is_regular_ = false;
  LeastSquares fit_;
  std::vector<double> coefs_;
  double first_day_ = 0;
  double last_day_ = 0;
};

class PreparedHarmonic final : public PreparedFunction {
 public:
  explicit PreparedHarmonic(std::shared_ptr<const HarmonicPlan> plan)
      : plan_(std::move(plan)) {}

  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return plan_->schema;
  }
  absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
    return std::make_unique<HarmonicKernel>(plan_);
  }
  core::Attributes attributes() const override {
    return {{"time_origin", std::string("1970-01-01")},
            {"angular_frequency", std::vector<double>{kAngularFrequency}},
            {"angular_frequency_units", std::string("radian day-1")},
            {"slope_unit", std::string("per day")}};
  }
  std::vector<std::string> notes() const override { return plan_->notes; }

 private:
  const std::shared_ptr<const HarmonicPlan> plan_;
};

FunctionInfo MakeHarmonicInfo() {
  FunctionInfo info;
  info.name = "harmonic";
  info.version = "1";
  info.summary = "Least-squares trend and harmonics of each band.";
  info.description =
      "Per band, the coefficients of\n\n"
      "  fit(t) = intercept + slope t + sum_k (cos_k cos(k w t) + "
      "sin_k sin(k w t))\n\n"
      "with k = 1 .. harmonics, w = 2 pi / 365.2425, and t in days since "
      "1970-01-01 in every term, that minimise the sum of squares of the "
      "residuals (ordinary least squares by Householder's QR factorisation, "
      "in double precision: Golub and Van Loan, Matrix Computations, 5.3). "
      "The model is that of Zhu and Woodcock (2014), Remote Sensing of "
      "Environment 144, 152-171, with up to three harmonics.\n\n"
      "An observation is a number that is finite, not a missing value, within "
      "the valid range, and clear where there is a quality variable: its code "
      "is one of `clear`, or any of `clear_bits` is set. When neither is "
      "given, the variable's own flag_meanings or its name choose. Several "
      "observations of one date all count.\n\n"
      "One record per pixel: n_obs(band); coefs(band, coef); rmse(band) = "
      "sqrt(sum of squares / n_obs); t_start and t_end, the days of the first "
      "and the last observation that was fitted. Values are in the file's "
      "packed units; scaled=true applies scale_factor and add_offset.\n\n"
      "A band with fewer observations than coefficients, or with dates that "
      "do not determine them (a column of the design is a combination of the "
      "others to 1e-10 of its length), has NaN in coefs and rmse.\n\n"
      "Status: ok; too_few_observations where no band could be fitted.";
  info.parameters = {{.name = "harmonics",
                      .default_value = int64_t{3},
                      .help = "Harmonics of the year in the model.",
                      .min = 0,
                      .max = 3,
                      .choices = {},
                      .aliases = {}}};
  for (ParameterSpec& spec : ClearParameters()) {
    info.parameters.push_back(std::move(spec));
  }
  info.parameters.push_back(ScaledParameter());
  info.roles = {{.name = "bands",
                 .help = "The variables to fit.",
                 .required = true,
                 .repeated = true,
                 .codes = false,
                 .guesses = {}},
                QualityRole()};
  return info;
}

core::Field DateField(const std::string& name, const std::string& long_name,
                      const std::string& calendar) {
  return {.name = name,
          .type = core::DataType::kInt32,
          .dims = {},
          .fill = kNoDate,
          .attributes = {{"long_name", long_name},
                         {"units", std::string("days since 1970-01-01")},
                         {"calendar", calendar}}};
}

absl::Status MakeSchema(const FunctionInputs& inputs,
                        const std::vector<size_t>& bands, bool scaled,
                        HarmonicPlan* plan) {
  const std::string units = CommonUnits(inputs, bands, scaled);
  core::Field coefs = BandField("coefs", core::DataType::kFloat64,
                                "coefficients of the fit, t in days since "
                                "1970-01-01",
                                "");
  coefs.dims.emplace_back("coef");
  INTERNODE_ASSIGN_OR_RETURN(
      core::RecordSchema schema,
      core::RecordSchema::Create(
          {DateField("t_start", "first observation", inputs.calendar),
           DateField("t_end", "last observation", inputs.calendar),
           BandField("n_obs", core::DataType::kInt32, "number of observations",
                     "1"),
           coefs,
           BandField("rmse", core::DataType::kFloat64,
                     "root mean square of the residuals", units)},
          {BandDimension(inputs, bands), {"coef", plan->design.Labels()}}));
  plan->t_start = schema.offset(0);
  plan->t_end = schema.offset(1);
  plan->n_obs = schema.offset(2);
  plan->coefs = schema.offset(3);
  plan->rmse = schema.offset(4);
  plan->schema = std::make_shared<const core::RecordSchema>(std::move(schema));
  return absl::OkStatus();
}

absl::Status ChooseQuality(const Parameters& parameters,
                           const FunctionInputs& inputs, HarmonicPlan* plan) {
  const std::vector<size_t> quality = inputs.WithRole("qa");
  if (quality.empty()) {
    for (const char* name : {"clear", "clear_bits"}) {
      if (!parameters.IsGiven(name)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "parameter '", name,
          "' is given, but no variable for the role 'qa'; name one with "
          "--variables qa=NAME"));
    }
    return absl::OkStatus();
  }
  const InputSeries& series = inputs.series[quality[0]];
  INTERNODE_ASSIGN_OR_RETURN(plan->clear, ChooseClearCodes(parameters, series));
  plan->quality.emplace(inputs, quality[0]);
  if (!parameters.IsGiven("clear") && !parameters.IsGiven("clear_bits")) {
    plan->notes.push_back(
        absl::StrCat("clear: ", plan->clear.Text(), " of ", series.label,
                     " (--param clear=CODES or clear_bits=BITS for others)"));
  }
  return absl::OkStatus();
}

class Harmonic final : public Function {
 public:
  const FunctionInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters,
      const FunctionInputs& inputs) const override {
    INTERNODE_RETURN_IF_ERROR(CheckCount(inputs));
    for (const double day : inputs.days) {
      if (!std::isfinite(day)) {
        return absl::InvalidArgumentError(
            "a date of the time axis is not a number");
      }
    }
    const std::vector<size_t> bands = inputs.WithRole("bands");
    const bool scaled = parameters.GetBool("scaled");
    auto plan = std::make_shared<HarmonicPlan>(inputs.days,
                                               parameters.GetInt("harmonics"));
    for (const size_t b : bands) {
      plan->bands.emplace_back(inputs, b);
      plan->scales.push_back(ScaleOf(inputs.series[b], scaled));
    }
    INTERNODE_RETURN_IF_ERROR(ChooseQuality(parameters, inputs, plan.get()));
    INTERNODE_RETURN_IF_ERROR(MakeSchema(inputs, bands, scaled, plan.get()));
    return std::make_unique<PreparedHarmonic>(std::move(plan));
  }

 private:
  const FunctionInfo info_ = MakeHarmonicInfo();
};

}  // namespace

std::shared_ptr<const Function> MakeHarmonicFunction() {
  return std::make_shared<Harmonic>();
}

}  // namespace internode::functions
