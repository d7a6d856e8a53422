#include "functions/harmonic_design.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace internode::functions {

HarmonicDesign::HarmonicDesign(absl::Span<const double> days, int64_t harmonics)
    : num_terms_(2 + 2 * static_cast<size_t>(harmonics)),
      num_dates_(days.size()),
      terms_(num_terms_ * num_dates_) {
  const auto range = std::minmax_element(days.begin(), days.end());
  if (!days.empty() && *range.first < *range.second) {
    origin_ = std::midpoint(*range.first, *range.second);
    scale_ = *range.second - origin_;
  } else if (!days.empty()) {
    origin_ = days[0];
  }
  for (size_t i = 0; i < num_dates_; ++i) {
    terms_[i] = 1;
    terms_[num_dates_ + i] = (days[i] - origin_) / scale_;
    for (size_t k = 1; 2 * k < num_terms_; ++k) {
      const double phase = static_cast<double>(k) * kAngularFrequency * days[i];
      terms_[2 * k * num_dates_ + i] = std::cos(phase);
      terms_[(2 * k + 1) * num_dates_ + i] = std::sin(phase);
    }
  }
}

std::vector<std::string> HarmonicDesign::Labels() const {
  std::vector<std::string> labels = {"intercept", "slope"};
  for (size_t k = 1; 2 * k < num_terms_; ++k) {
    labels.push_back(absl::StrCat("cos", k));
    labels.push_back(absl::StrCat("sin", k));
  }
  return labels;
}

void HarmonicDesign::Gather(absl::Span<const uint8_t> used, size_t num_used,
                            absl::Span<double> matrix) const {
  for (size_t j = 0; j < num_terms_; ++j) {
    const double* from = terms_.data() + j * num_dates_;
    double* to = matrix.data() + j * num_used;
    for (size_t i = 0; i < num_dates_; ++i) {
      if (used[i] != 0) *to++ = from[i];
    }
  }
}

void HarmonicDesign::ToRawTime(absl::Span<double> coefs) const {
  coefs[1] /= scale_;
  coefs[0] -= coefs[1] * origin_;
}

}  // namespace internode::functions
