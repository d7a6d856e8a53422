#include "functions/ccdc/model.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

#include "base/status_macros.h"

namespace internode::functions::ccdc {
namespace {

// The quantile that peek_size observations would need, spread over `peek`
// observations that are nearer together.
double PeekQuantile(const Parameters& p, int peek) {
  const boost::math::chi_squared distribution(
      static_cast<double>(p.detection_bands.size()));
  if (peek == p.peek_size) {
    return boost::math::quantile(distribution, p.change_probability);
  }
  const double exceeded =
      std::pow(1 - p.change_probability,
               static_cast<double>(p.peek_size) / static_cast<double>(peek));
  return boost::math::quantile(boost::math::complement(distribution, exceeded));
}

}  // namespace

Model::Model(const Parameters& p)
    : parameters_(p),
      bands_(static_cast<int>(p.bands.size())),
      groups_((bands_ + kLanes - 1) / kLanes),
      min_days_(static_cast<int>(std::floor(p.min_years * p.year_length))),
      detection_(static_cast<size_t>(groups_), Row{}),
      qa_(p.qa_encoding, p.qa_values, p.compat),
      phase_of_1970_(kOrdinalOf1970, p.year_length) {
  for (const int band : p.detection_bands) {
    detection_[static_cast<size_t>(band / kLanes)].v[band % kLanes] = 1;
  }
  for (int peek = p.peek_size; peek <= 16 * p.peek_size; ++peek) {
    change_thresholds_.push_back(PeekQuantile(p, peek));
  }
  const boost::math::chi_squared distribution(
      static_cast<double>(p.detection_bands.size()));
  outlier_threshold_ =
      boost::math::quantile(distribution, p.outlier_probability);
}

absl::StatusOr<Model> Model::Make(const Parameters& parameters) {
  INTERNODE_RETURN_IF_ERROR(CheckParameters(parameters));
  return Model(parameters);
}

int Model::Coefficients(int observations) const {
  const int per = parameters_.observations_per_coefficient;
  int k = 4;
  if (observations >= 6 * per) k = 6;
  if (observations >= 8 * per) k = 8;
  return std::min(k, parameters_.max_coefficients);
}

int Model::PeekSize(double median_step) const {
  const int base = parameters_.peek_size;
  if (!(median_step >= 1)) return base;
  // Ties to even, as numpy and Python round.
  const double peek = std::nearbyint(base * 16 / median_step);
  return peek > base ? static_cast<int>(peek) : base;
}

double Model::ChangeThreshold(int peek) const {
  const auto index = static_cast<size_t>(peek - parameters_.peek_size);
  return change_thresholds_[std::min(index, change_thresholds_.size() - 1)];
}

}  // namespace internode::functions::ccdc
