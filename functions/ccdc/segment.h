#ifndef INTERNODE_FUNCTIONS_CCDC_SEGMENT_H_
#define INTERNODE_FUNCTIONS_CCDC_SEGMENT_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/regression.h"
#include "functions/ccdc/row.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// What a segment stands on.
enum CurveQa : int16_t {
  kStartCurve = 14,         // simple curve before the first stable segment
  kEndCurve = 24,           // simple curve after the last one
  kInsufficientClear = 44,  // simple curve over all, too few clear
  kPersistentSnow = 54,     // simple curve over all, snow included
  // Else the number of coefficients of a stable segment: 4, 6 or 8.
};

struct Segment {
  int32_t start_day = 0;  // days since 1970-01-01
  int32_t end_day = 0;
  // The first day after the change, if change_probability is 1.
  int32_t break_day = 0;
  int32_t observation_count = 0;
  int16_t curve_qa = 0;
  double change_probability = 0;  // 1: a change was confirmed, else 0
};

// The segments of one pixel. Reused from pixel to pixel.
class SegmentList {
 public:
  void Reset(const Model& model);

  int size() const { return static_cast<int>(segments_.size()); }
  const Segment& segment(int s) const {
    return segments_[static_cast<size_t>(s)];
  }
  // (band, coefficient): intercept, slope per day, cos, sin, cos 2, sin 2,
  // cos 3, sin 3, for t in days since 1970-01-01 in every term; in the units
  // of the scaled band.
  absl::Span<const double> coefs(int s) const {
    return absl::MakeConstSpan(coefs_).subspan(
        static_cast<size_t>(s * bands_ * kBasis),
        static_cast<size_t>(bands_) * kBasis);
  }
  // (band)
  absl::Span<const double> rmse(int s) const {
    return absl::MakeConstSpan(rmse_).subspan(static_cast<size_t>(s * bands_),
                                              static_cast<size_t>(bands_));
  }
  // (band): median residual of the observations that were looked at last.
  absl::Span<const double> magnitude(int s) const {
    return absl::MakeConstSpan(magnitude_)
        .subspan(static_cast<size_t>(s * bands_), static_cast<size_t>(bands_));
  }

  // Whether all numbers of all segments are finite.
  bool finite() const { return finite_; }

  // `magnitude`: series.groups() rows, or null for zeros.
  void Add(const Model& model, const DateTable& dates, const Series& series,
           const Segment& segment, const Curves& curves, const Row* magnitude);

 private:
  int bands_ = 0;
  bool finite_ = true;
  std::vector<Segment> segments_;
  std::vector<double> coefs_;
  std::vector<double> rmse_;
  std::vector<double> magnitude_;
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_SEGMENT_H_
