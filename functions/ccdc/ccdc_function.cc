#include "functions/ccdc/ccdc_function.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "functions/band_columns.h"
#include "functions/ccdc/ccdc_options.h"
#include "functions/ccdc/detect.h"

namespace internode::functions {
namespace {

constexpr int32_t kNoDay = std::numeric_limits<int32_t>::min();

// What all kernels of a job share.
struct CcdcPlan {
  CcdcPlan(ccdc::Options chosen, ccdc::Model made, ccdc::DateTable table)
      : options(std::move(chosen)),
        model(std::move(made)),
        dates(std::move(table)) {}

  ccdc::Options options;
  ccdc::Model model;
  ccdc::DateTable dates;
  std::vector<ccdc::ElementType> types;  // of all series
  std::shared_ptr<const core::RecordSchema> schema;
  int64_t t_start = 0;
  int64_t t_end = 0;
  int64_t t_break = 0;
  int64_t n_obs = 0;
  int64_t change_prob = 0;
  int64_t category = 0;
  int64_t coefs = 0;
  int64_t rmse = 0;
  int64_t magnitude = 0;
};

ccdc::ElementType ElementTypeOf(core::DataType type) {
  switch (type) {
    case core::DataType::kInt8:
      return ccdc::ElementType::kInt8;
    case core::DataType::kInt16:
      return ccdc::ElementType::kInt16;
    case core::DataType::kInt32:
      return ccdc::ElementType::kInt32;
    case core::DataType::kInt64:
      return ccdc::ElementType::kInt64;
    case core::DataType::kUInt8:
      return ccdc::ElementType::kUint8;
    case core::DataType::kUInt16:
      return ccdc::ElementType::kUint16;
    case core::DataType::kUInt32:
      return ccdc::ElementType::kUint32;
    case core::DataType::kUInt64:
      return ccdc::ElementType::kUint64;
    case core::DataType::kFloat32:
      return ccdc::ElementType::kFloat32;
    case core::DataType::kFloat64:
      break;
  }
  return ccdc::ElementType::kFloat64;
}

class CcdcKernel final : public Kernel {
 public:
  explicit CcdcKernel(std::shared_ptr<const CcdcPlan> plan)
      : plan_(std::move(plan)), bands_(plan_->options.bands.size()) {}

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    for (int64_t p = 0; p < block.num_pixels(); ++p) RunPixel(block, p, result);
    return absl::OkStatus();
  }

 private:
  ccdc::BandSeries SeriesOf(const core::Block& block, int64_t p,
                            size_t s) const {
    return {block.pixel(p) + block.layout().series[s].offset, plan_->types[s]};
  }

  void RunPixel(const core::Block& block, int64_t p,
                core::BlockResult* result) {
    for (size_t b = 0; b < bands_.size(); ++b) {
      bands_[b] = SeriesOf(block, p, plan_->options.bands[b]);
    }
    ccdc::PixelInput input{bands_, {}};
    if (plan_->model.parameters().qa_encoding != ccdc::QaEncoding::kNone) {
      input.qa = SeriesOf(block, p, plan_->options.qa);
    }
    ccdc::DetectSegments(plan_->model, plan_->dates, input, workspace_);
    switch (workspace_.result.status) {
      case ccdc::PixelStatus::kOk:
        for (int s = 0; s < workspace_.segments().size(); ++s) {
          WriteSegment(s, result->AddRecord());
        }
        return result->FinishPixel(core::PixelStatus::kOk);
      case ccdc::PixelStatus::kNoSegments:
        return result->FinishPixel(core::PixelStatus::kNoSegments);
      case ccdc::PixelStatus::kTooFewObservations:
        return result->FinishPixel(core::PixelStatus::kTooFewObservations);
      case ccdc::PixelStatus::kFailed:
        return result->FailPixel(workspace_.result.message);
    }
  }

  void WriteSegment(int s, uint8_t* row) const {
    const ccdc::SegmentList& list = workspace_.segments();
    const ccdc::Segment& segment = list.segment(s);
    const bool confirmed = segment.change_probability == 1;
    core::StoreField(row, plan_->t_start, segment.start_day);
    core::StoreField(row, plan_->t_end, segment.end_day);
    core::StoreField(row, plan_->t_break,
                     confirmed ? segment.break_day : kNoDay);
    core::StoreField(row, plan_->n_obs, segment.observation_count);
    core::StoreField(row, plan_->change_prob,
                     static_cast<float>(segment.change_probability));
    core::StoreField(row, plan_->category, segment.curve_qa);
    StoreFloats(row, plan_->coefs, list.coefs(s));
    StoreFloats(row, plan_->rmse, list.rmse(s));
    StoreFloats(row, plan_->magnitude, list.magnitude(s));
  }

  static void StoreFloats(uint8_t* row, int64_t offset,
                          absl::Span<const double> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      core::StoreField(row, offset, static_cast<float>(values[i]),
                       static_cast<int64_t>(i));
    }
  }

  const std::shared_ptr<const CcdcPlan> plan_;
  std::vector<ccdc::BandSeries> bands_;
  ccdc::Workspace workspace_;
};

class PreparedCcdc final : public PreparedFunction {
 public:
  explicit PreparedCcdc(std::shared_ptr<const CcdcPlan> plan)
      : plan_(std::move(plan)) {}

  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return plan_->schema;
  }
  absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
    return std::make_unique<CcdcKernel>(plan_);
  }
  core::Attributes attributes() const override {
    const double year = plan_->model.parameters().year_length;
    return {
        {"time_origin", std::string("1970-01-01")},
        {"angular_frequency", std::vector<double>{2 * std::acos(-1.0) / year}},
        {"slope_unit", std::string("units of the band per day")},
        {"band_unit",
         std::string("reflectance x 10000; thermal: hundredths of a degree "
                     "Celsius")}};
  }
  std::vector<std::string> notes() const override {
    return plan_->options.notes;
  }

 private:
  const std::shared_ptr<const CcdcPlan> plan_;
};

core::Field ScalarField(const char* name, core::DataType type,
                        const char* long_name, core::Attributes more) {
  core::Field field;
  field.name = name;
  field.type = type;
  field.attributes = {{"long_name", std::string(long_name)}};
  for (core::Attribute& attribute : more) {
    field.attributes.push_back(std::move(attribute));
  }
  return field;
}

core::Field DayField(const char* name, const char* long_name,
                     const std::string& calendar) {
  core::Field field =
      ScalarField(name, core::DataType::kInt32, long_name,
                  {{"units", std::string("days since 1970-01-01")},
                   {"calendar", calendar}});
  field.fill = kNoDay;
  return field;
}

core::Field CategoryField() {
  return ScalarField(
      "category", core::DataType::kInt16, "what the segment stands on",
      {{"flag_values", std::vector<int64_t>{4, 6, 8, 14, 24, 44, 54}},
       {"flag_meanings",
        std::string("stable_4_coefficients stable_6_coefficients "
                    "stable_8_coefficients start end insufficient_clear "
                    "persistent_snow")}});
}

absl::Status MakeSchema(const FunctionInputs& inputs, CcdcPlan* plan) {
  const std::vector<size_t>& bands = plan->options.bands;
  core::Field coefs = BandField("coefs", core::DataType::kFloat32,
                                "coefficients of the curve, t in days since "
                                "1970-01-01",
                                "");
  coefs.dims.emplace_back("coef");
  INTERNODE_ASSIGN_OR_RETURN(
      core::RecordSchema schema,
      core::RecordSchema::Create(
          {DayField("t_start", "first observation", inputs.calendar),
           DayField("t_end", "last observation", inputs.calendar),
           DayField("t_break", "first observation after a confirmed change",
                    inputs.calendar),
           ScalarField("n_obs", core::DataType::kInt32,
                       "number of observations", {{"units", std::string("1")}}),
           ScalarField("change_prob", core::DataType::kFloat32,
                       "1 if a change was confirmed, else 0",
                       {{"units", std::string("1")}}),
           CategoryField(), coefs,
           BandField("rmse", core::DataType::kFloat32,
                     "root mean square of the residuals", ""),
           BandField("magnitude", core::DataType::kFloat32,
                     "median residual of the observations after the segment",
                     "")},
          {BandDimension(inputs, bands),
           {"coef",
            {"intercept", "slope", "cos1", "sin1", "cos2", "sin2", "cos3",
             "sin3"}}}));
  int64_t* const offsets[] = {
      &plan->t_start, &plan->t_end,       &plan->t_break,
      &plan->n_obs,   &plan->change_prob, &plan->category,
      &plan->coefs,   &plan->rmse,        &plan->magnitude};
  for (int f = 0; f < 9; ++f) *offsets[f] = schema.offset(f);
  plan->schema = std::make_shared<const core::RecordSchema>(std::move(schema));
  return absl::OkStatus();
}

// Whole days, as the time axis may have hours.
absl::StatusOr<std::vector<int32_t>> WholeDays(const FunctionInputs& inputs) {
  std::vector<int32_t> days;
  days.reserve(inputs.days.size());
  for (const double day : inputs.days) {
    if (!(std::fabs(day) <= ccdc::DateTable::kMaxDay)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a date of the time axis is ", day, " days from 1970-01-01"));
    }
    days.push_back(static_cast<int32_t>(std::floor(day)));
  }
  return days;
}

FunctionInfo MakeInfo() {
  FunctionInfo info;
  info.name = "ccdc";
  info.version = "2018.10.17-1";
  info.summary =
      "Continuous change detection: stable segments and the changes between.";
  info.description =
      "Continuous Change Detection and Classification (Zhu and Woodcock 2014, "
      "Remote Sensing of Environment 144, 152-171), in the form of USGS "
      "lcmap-pyccd 2018.10.17. A curve with a trend and up to three harmonics "
      "of the year is fitted to each band by lasso regression; a segment ends "
      "where all of the next peek_size observations are off the curves, by a "
      "chi-square test over the detection bands. Single observations that are "
      "off are dropped.\n\n"
      "One record per segment: t_start, t_end; t_break, the first observation "
      "after a confirmed change, else none; n_obs; change_prob, 1 if a change "
      "was confirmed; category, 4, 6 or 8 coefficients, or a simple curve: 14 "
      "before the first stable segment, 24 after the last, 44 too few clear "
      "observations, 54 persistent snow; coefs(band, coef) for\n\n"
      "  fit(t) = intercept + slope t + sum_k (cos_k cos(k w t) + sin_k "
      "sin(k w t))\n\n"
      "with w = 2 pi / year_length and t in days since 1970-01-01 in every "
      "term; rmse(band); magnitude(band), the median residual of the "
      "observations looked at last. Bands are in reflectance x 10,000, the "
      "thermal band in hundredths of a degree Celsius (in tenths of a kelvin "
      "in categories 44 and 54 with compat=pyccd).\n\n"
      "Status: ok; no_segments; too_few_observations, fewer usable ones than "
      "a window needs; failed, where the reference fails too. docs/ccdc.md "
      "has all of it.";
  info.parameters = ccdc::OptionSpecs();
  info.roles = ccdc::OptionRoles();
  // The valid ranges tell; the reference fits such values of snow.
  info.usual_nodata = false;
  return info;
}

class Ccdc final : public Function {
 public:
  const FunctionInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters,
      const FunctionInputs& inputs) const override {
    INTERNODE_RETURN_IF_ERROR(CheckCount(inputs));
    INTERNODE_ASSIGN_OR_RETURN(ccdc::Options options,
                               ccdc::ChooseOptions(parameters, inputs));
    INTERNODE_ASSIGN_OR_RETURN(ccdc::Model model,
                               ccdc::Model::Make(options.parameters));
    INTERNODE_ASSIGN_OR_RETURN(const std::vector<int32_t> days,
                               WholeDays(inputs));
    INTERNODE_ASSIGN_OR_RETURN(ccdc::DateTable dates,
                               ccdc::DateTable::Make(model, days));
    auto plan = std::make_shared<CcdcPlan>(std::move(options), std::move(model),
                                           std::move(dates));
    for (const InputSeries& series : inputs.series) {
      plan->types.push_back(ElementTypeOf(series.type));
    }
    INTERNODE_RETURN_IF_ERROR(MakeSchema(inputs, plan.get()));
    return std::make_unique<PreparedCcdc>(std::move(plan));
  }

 private:
  const FunctionInfo info_ = MakeInfo();
};

}  // namespace

std::shared_ptr<const Function> MakeCcdcFunction() {
  return std::make_shared<Ccdc>();
}

}  // namespace internode::functions
