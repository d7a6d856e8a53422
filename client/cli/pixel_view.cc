#include "client/cli/pixel_view.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/cli/arguments.h"
#include "client/job_data.h"
#include "core/attribute.h"
#include "core/block.h"
#include "cube/block_reader.h"
#include "functions/ccdc/ccdc_options.h"
#include "functions/ccdc/qa.h"
#include "functions/clear_codes.h"
#include "functions/parameter.h"
#include "functions/registry.h"

namespace internode::cli {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Number `k` of field `field` of record `i`, or NaN for the field's fill.
double NumberAt(const core::RecordBatch& records, int64_t i, int field,
                int64_t k) {
  const core::Field& info =
      records.schema().fields()[static_cast<size_t>(field)];
  const double number = core::VisitDataType(info.type, [&](auto zero) {
    return static_cast<double>(records.Get<decltype(zero)>(i, field, k));
  });
  return info.fill.has_value() && number == *info.fill ? kNone : number;
}

// Series `s` of the block's one pixel as numbers.
std::vector<double> SeriesOf(const core::Block& block, size_t s) {
  return core::VisitDataType(block.layout().series[s].type, [&](auto zero) {
    const auto series = block.Series<decltype(zero)>(0, s);
    return std::vector<double>(series.begin(), series.end());
  });
}

ObservedBand BandOf(const functions::InputSeries& input,
                    std::vector<double> values) {
  for (double& value : values) {
    if (!input.IsValid(value)) value = kNone;
  }
  return {input.label, std::move(values)};
}

// CCDC's own numbers: reflectance x 10,000, hundredths of a degree Celsius.
absl::Status ViewCcdc(const functions::JobPlan& plan, const core::Block& block,
                      ObservedPixel* pixel) {
  namespace ccdc = functions::ccdc;
  INTERNODE_ASSIGN_OR_RETURN(const ccdc::Options options,
                             ccdc::ChooseOptions(plan.parameters, plan.inputs));
  const ccdc::Parameters& parameters = options.parameters;
  for (size_t b = 0; b < options.bands.size(); ++b) {
    const size_t s = options.bands[b];
    ObservedBand band = BandOf(plan.inputs.series[s], SeriesOf(block, s));
    const bool thermal = static_cast<int>(b) == parameters.thermal_band;
    for (double& value : band.values) {
      value = value * parameters.bands[b].scale + parameters.bands[b].offset;
      if (thermal) value = value * 10 - 27315;
    }
    pixel->bands.push_back(std::move(band));
  }
  if (parameters.qa_encoding == ccdc::QaEncoding::kNone)
    return absl::OkStatus();
  const ccdc::QaClassifier classifier(parameters.qa_encoding,
                                      parameters.qa_values, parameters.compat);
  const std::vector<double> codes = SeriesOf(block, options.qa);
  for (size_t i = 0; i < codes.size(); ++i) {
    const ccdc::QaClass found =
        classifier.Classify(static_cast<int64_t>(codes[i]));
    pixel->clear[i] =
        found == ccdc::QaClass::kClear || found == ccdc::QaClass::kWater;
  }
  return absl::OkStatus();
}

absl::Status ViewOther(const functions::JobPlan& plan, const core::Block& block,
                       ObservedPixel* pixel) {
  for (size_t s = 0; s < plan.inputs.series.size(); ++s) {
    const functions::InputSeries& input = plan.inputs.series[s];
    std::vector<double> values = SeriesOf(block, s);
    if (input.role != "qa") {
      pixel->bands.push_back(BandOf(input, std::move(values)));
      continue;
    }
    INTERNODE_ASSIGN_OR_RETURN(
        const functions::ClearCodes clear,
        functions::ChooseClearCodes(plan.parameters, input));
    for (size_t i = 0; i < values.size(); ++i) {
      pixel->clear[i] = clear.IsClear(values[i]);
    }
  }
  return absl::OkStatus();
}

using ParameterList = std::vector<std::pair<std::string, std::string>>;

// The parameters that the file records and that are not `function`'s defaults:
// some may not be given together.
absl::StatusOr<ParameterList> GivenParameters(const std::string& function,
                                              const std::string& recorded) {
  INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                             client::LoadRegistry({}));
  INTERNODE_ASSIGN_OR_RETURN(const auto found, registry.Find(function));
  INTERNODE_ASSIGN_OR_RETURN(
      const functions::Parameters defaults,
      functions::Parameters::Parse(found->info().parameters, {}));
  INTERNODE_ASSIGN_OR_RETURN(const ParameterList usual,
                             functions::ParametersFromJson(defaults.ToJson()));
  INTERNODE_ASSIGN_OR_RETURN(ParameterList given,
                             functions::ParametersFromJson(recorded));
  std::erase_if(given, [&usual](const auto& parameter) {
    return std::find(usual.begin(), usual.end(), parameter) != usual.end();
  });
  return given;
}

absl::StatusOr<JobOptions> JobOf(const cube::SegmentReader& reader,
                                 const std::string& cube_path,
                                 const std::string& group) {
  const core::Attributes& attributes = reader.spec().attributes;
  JobOptions options;
  options.function = core::TextAttribute(attributes, "algorithm");
  INTERNODE_ASSIGN_OR_RETURN(
      options.parameters,
      GivenParameters(options.function,
                      core::TextAttribute(attributes, "parameters")));
  options.cube.path = cube_path;
  options.cube.group = group;
  const std::string variables = core::TextAttribute(attributes, "variables");
  if (!variables.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(options.cube.variables,
                               ParseVariables(variables));
  }
  if (const core::AttributeValue* nodata =
          core::FindAttribute(attributes, "nodata")) {
    if (const auto* numbers = std::get_if<std::vector<double>>(nodata);
        numbers != nullptr && numbers->size() == 1) {
      options.cube.nodata = (*numbers)[0];
    }
  }
  return options;
}

}  // namespace

double CurveAt(const std::vector<double>& coefs, double angular_frequency,
               double day) {
  double value = coefs.empty() ? kNone : coefs[0];
  if (coefs.size() > 1) value += coefs[1] * day;
  for (size_t k = 1; 2 * k + 1 < coefs.size(); ++k) {
    const double angle = static_cast<double>(k) * angular_frequency * day;
    value +=
        coefs[2 * k] * std::cos(angle) + coefs[2 * k + 1] * std::sin(angle);
  }
  return value;
}

absl::StatusOr<PixelCurves> CurvesOf(const cube::SegmentReader& reader,
                                     const core::BlockResult& result) {
  const core::RecordSchema& schema = *reader.spec().schema;
  const int start = schema.FieldIndex("t_start");
  const int end = schema.FieldIndex("t_end");
  const int coefs = schema.FieldIndex("coefs");
  const core::AttributeValue* frequency =
      core::FindAttribute(reader.spec().attributes, "angular_frequency");
  const auto* frequencies = frequency == nullptr
                                ? nullptr
                                : std::get_if<std::vector<double>>(frequency);
  if (start < 0 || end < 0 || coefs < 0 || schema.shape(coefs).size() != 2 ||
      frequencies == nullptr || frequencies->size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", reader.path(),
        "' has no curves to draw: it lacks t_start, t_end, coefs(band, coef) "
        "or the attribute angular_frequency"));
  }
  PixelCurves pixel;
  pixel.angular_frequency = (*frequencies)[0];
  const std::string& band_dim =
      schema.fields()[static_cast<size_t>(coefs)].dims[0];
  for (const core::LabelledDimension& dim : schema.dims()) {
    if (dim.name == band_dim) pixel.labels = dim.labels;
  }
  const int change = schema.FieldIndex("t_break");
  const int64_t width = schema.shape(coefs)[1];
  const core::RecordBatch& records = result.records();
  for (int64_t i = 0; i < records.num_records(); ++i) {
    Curve curve;
    curve.begin = NumberAt(records, i, start, 0);
    curve.end = NumberAt(records, i, end, 0);
    if (change >= 0 && !std::isnan(NumberAt(records, i, change, 0))) {
      curve.break_day = NumberAt(records, i, change, 0);
    }
    for (size_t b = 0; b < pixel.labels.size(); ++b) {
      std::vector<double>& band = curve.coefs.emplace_back();
      for (int64_t k = 0; k < width; ++k) {
        band.push_back(
            NumberAt(records, i, coefs, static_cast<int64_t>(b) * width + k));
      }
    }
    pixel.curves.push_back(std::move(curve));
  }
  return pixel;
}

absl::StatusOr<ObservedPixel> ReadObservations(
    const cube::SegmentReader& reader, const std::string& cube_path,
    const std::string& group, const std::vector<int64_t>& index) {
  INTERNODE_ASSIGN_OR_RETURN(const JobOptions options,
                             JobOf(reader, cube_path, group));
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const client::JobData> state,
                             client::PlanLocally(options));
  const functions::JobPlan& plan = state->local->plan;
  if (plan.grid.dims() != reader.spec().grid.dims()) {
    return absl::InvalidArgumentError(absl::StrCat("the cube '", cube_path,
                                                   "' has another grid than '",
                                                   reader.path(), "'"));
  }
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<cube::BlockReader> blocks,
      cube::NewBlockReader(state->local->cube, plan.request));
  core::Selection selection;
  for (const int64_t i : index) {
    selection.extents.push_back(core::Extent::Index(i));
  }
  core::Block block;
  INTERNODE_RETURN_IF_ERROR(blocks->Read(selection, &block));
  ObservedPixel pixel;
  pixel.days = plan.inputs.days;
  pixel.clear.assign(pixel.days.size(), true);
  if (options.function == "ccdc") {
    INTERNODE_RETURN_IF_ERROR(ViewCcdc(plan, block, &pixel));
  } else {
    INTERNODE_RETURN_IF_ERROR(ViewOther(plan, block, &pixel));
  }
  return pixel;
}

}  // namespace internode::cli
