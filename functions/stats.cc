#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"

#include "base/status_macros.h"
#include "functions/band_columns.h"
#include "functions/builtins.h"
#include "functions/observations.h"

namespace internode::functions {
namespace {

struct BandStats {
  int32_t n_obs = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double min = std::numeric_limits<double>::quiet_NaN();
  double max = std::numeric_limits<double>::quiet_NaN();
  double std = std::numeric_limits<double>::quiet_NaN();
};

// Two passes: the mean first, then the squares of the differences from it.
// Sums of integers are exact up to 2^53.
BandStats ComputeStats(absl::Span<const double> values, int64_t ddof) {
  BandStats stats;
  stats.n_obs = static_cast<int32_t>(values.size());
  if (values.empty()) return stats;
  double sum = 0;
  stats.min = values[0];
  stats.max = values[0];
  for (const double value : values) {
    sum += value;
    stats.min = std::min(stats.min, value);
    stats.max = std::max(stats.max, value);
  }
  stats.mean = sum / stats.n_obs;
  double squares = 0;
  for (const double value : values) {
    squares += (value - stats.mean) * (value - stats.mean);
  }
  const auto divisor = static_cast<double>(stats.n_obs - ddof);
  if (divisor > 0) stats.std = std::sqrt(squares / divisor);
  return stats;
}

// What all kernels of a job share.
struct StatsPlan {
  int64_t ddof = 0;
  std::vector<ObservationReader> bands;
  // physical = packed * scale + offset; 1 and 0 unless `scaled`.
  std::vector<PackedScale> scales;
  size_t count = 0;
  std::shared_ptr<const core::RecordSchema> schema;
  int64_t n_obs = 0;
  int64_t mean = 0;
  int64_t min = 0;
  int64_t max = 0;
  int64_t std = 0;
};

class StatsKernel final : public Kernel {
 public:
  explicit StatsKernel(std::shared_ptr<const StatsPlan> plan)
      : plan_(std::move(plan)), values_(plan_->count), valid_(plan_->count) {}

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    for (int64_t p = 0; p < block.num_pixels(); ++p) {
      uint8_t* row = result->AddRecord();
      bool any = false;
      for (size_t b = 0; b < plan_->bands.size(); ++b) {
        const BandStats stats = RunBand(block, p, b);
        any = any || stats.n_obs > 0;
        const auto k = static_cast<int64_t>(b);
        core::StoreField(row, plan_->n_obs, stats.n_obs, k);
        core::StoreField(row, plan_->mean, stats.mean, k);
        core::StoreField(row, plan_->min, stats.min, k);
        core::StoreField(row, plan_->max, stats.max, k);
        core::StoreField(row, plan_->std, stats.std, k);
      }
      result->FinishPixel(any ? core::PixelStatus::kOk
                              : core::PixelStatus::kTooFewObservations);
    }
    return absl::OkStatus();
  }

 private:
  BandStats RunBand(const core::Block& block, int64_t p, size_t b) {
    plan_->bands[b].Read(block, p, absl::MakeSpan(values_),
                         absl::MakeSpan(valid_));
    size_t n = 0;
    for (size_t i = 0; i < plan_->count; ++i) {
      values_[n] = values_[i];
      n += valid_[i];
    }
    BandStats stats =
        ComputeStats(absl::MakeConstSpan(values_.data(), n), plan_->ddof);
    const PackedScale& scale = plan_->scales[b];
    stats.mean = scale.Physical(stats.mean);
    stats.min = scale.Physical(stats.min);
    stats.max = scale.Physical(stats.max);
    if (scale.factor < 0) std::swap(stats.min, stats.max);
    stats.std *= std::abs(scale.factor);
    return stats;
  }

  const std::shared_ptr<const StatsPlan> plan_;
  std::vector<double> values_;
  std::vector<uint8_t> valid_;
};

class PreparedStats final : public PreparedFunction {
 public:
  explicit PreparedStats(std::shared_ptr<const StatsPlan> plan)
      : plan_(std::move(plan)) {}

  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return plan_->schema;
  }
  absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
    return std::make_unique<StatsKernel>(plan_);
  }

 private:
  const std::shared_ptr<const StatsPlan> plan_;
};

FunctionInfo MakeStatsInfo() {
  FunctionInfo info;
  info.name = "stats";
  info.version = "1";
  info.summary = "Count, mean, extremes and standard deviation of each band.";
  info.description =
      "Per band, over the observations of the pixel (numbers that are finite, "
      "not a missing value, and within the valid range): n_obs, their count; "
      "mean; min; max; std = sqrt(sum((v - mean)^2) / (n_obs - ddof)), by two "
      "passes in double precision. NaN where there are too few for it.\n\n"
      "One record per pixel. Values are in the file's packed units; "
      "scaled=true applies scale_factor and add_offset.\n\n"
      "Status: ok; too_few_observations where no band has an observation.";
  info.parameters = {
      {.name = "ddof",
       .default_value = int64_t{0},
       .help = "0: population standard deviation; 1: sample (n - 1).",
       .min = 0,
       .max = 1,
       .choices = {},
       .aliases = {}},
      ScaledParameter()};
  info.roles = {{.name = "bands",
                 .help = "The variables to describe.",
                 .required = true,
                 .repeated = true,
                 .codes = false,
                 .guesses = {}}};
  info.needs_time = false;
  return info;
}

class Stats final : public Function {
 public:
  const FunctionInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters,
      const FunctionInputs& inputs) const override {
    const std::vector<size_t> bands = inputs.WithRole("bands");
    const bool scaled = parameters.GetBool("scaled");
    auto plan = std::make_shared<StatsPlan>();
    INTERNODE_RETURN_IF_ERROR(CheckCount(inputs));
    plan->ddof = parameters.GetInt("ddof");
    plan->count = static_cast<size_t>(inputs.count);
    for (const size_t b : bands) {
      plan->bands.emplace_back(inputs, b);
      plan->scales.push_back(ScaleOf(inputs.series[b], scaled));
    }
    const std::string units = CommonUnits(inputs, bands, scaled);
    INTERNODE_ASSIGN_OR_RETURN(
        core::RecordSchema schema,
        core::RecordSchema::Create(
            {BandField("n_obs", core::DataType::kInt32,
                       "number of observations", "1"),
             BandField("mean", core::DataType::kFloat64, "mean", units),
             BandField("min", core::DataType::kFloat64, "minimum", units),
             BandField("max", core::DataType::kFloat64, "maximum", units),
             BandField("std", core::DataType::kFloat64, "standard deviation",
                       units)},
            {BandDimension(inputs, bands)}));
    plan->n_obs = schema.offset(0);
    plan->mean = schema.offset(1);
    plan->min = schema.offset(2);
    plan->max = schema.offset(3);
    plan->std = schema.offset(4);
    plan->schema =
        std::make_shared<const core::RecordSchema>(std::move(schema));
    return std::make_unique<PreparedStats>(std::move(plan));
  }

 private:
  const FunctionInfo info_ = MakeStatsInfo();
};

}  // namespace

std::shared_ptr<const Function> MakeStatsFunction() {
  return std::make_shared<Stats>();
}

}  // namespace internode::functions
