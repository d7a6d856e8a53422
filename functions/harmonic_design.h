#ifndef INTERNODE_FUNCTIONS_HARMONIC_DESIGN_H_
#define INTERNODE_FUNCTIONS_HARMONIC_DESIGN_H_

#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace internode::functions {

// Radians per day: 2 pi / 365.2425.
inline constexpr double kAngularFrequency = 2 * std::numbers::pi / 365.2425;

// The terms of
//
//   fit(t) = intercept + slope t + sum_k (cos_k cos(k w t) + sin_k sin(k w t))
//
// at the dates of a job, t in days since 1970-01-01, w = kAngularFrequency.
// The slope's term is kept as (t - origin) / scale, in -1..1, so that the
// equations are well conditioned; ToRawTime undoes that. Immutable.
class HarmonicDesign {
 public:
  HarmonicDesign(absl::Span<const double> days, int64_t harmonics);

  // 2 + 2 * harmonics.
  size_t num_terms() const { return num_terms_; }
  // Of the coefficients: "intercept", "slope", "cos1", "sin1", …
  std::vector<std::string> Labels() const;

  // Copies the rows of the dates for which `used` is not 0, `num_used` of them,
  // to `matrix`, column by column.
  void Gather(absl::Span<const uint8_t> used, size_t num_used,
              absl::Span<double> matrix) const;

  // Turns the coefficients of the scaled terms into those of the formula.
  void ToRawTime(absl::Span<double> coefs) const;

 private:
  size_t num_terms_;
  size_t num_dates_;
  double origin_ = 0;
  double scale_ = 1;
  // Column by column.
  std::vector<double> terms_;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_HARMONIC_DESIGN_H_
