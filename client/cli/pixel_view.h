#ifndef INTERNODE_CLIENT_CLI_PIXEL_VIEW_H_
#define INTERNODE_CLIENT_CLI_PIXEL_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "cube/segment_reader.h"

// One pixel of a segment file, with what was observed there: what
// `internode segments pixel` prints and draws.

namespace internode::cli {

// One band's observations, in the order of ObservedPixel::days and in the
// units of the curves. NaN: no observation.
struct ObservedBand {
  std::string label;
  std::vector<double> values;
};

struct ObservedPixel {
  // Days since 1970-01-01.
  std::vector<double> days;
  // Whether the quality codes let the function use this date.
  std::vector<bool> clear;
  std::vector<ObservedBand> bands;
};

// A curve of one record over the days [begin, end].
struct Curve {
  double begin = 0;
  double end = 0;
  std::optional<double> break_day;
  // Per band, in the order of PixelCurves::labels: intercept, slope, cos1,
  // sin1, …
  std::vector<std::vector<double>> coefs;
};

struct PixelCurves {
  std::vector<std::string> labels;
  // Radians per day.
  double angular_frequency = 0;
  std::vector<Curve> curves;
};

// The value of a curve of `coefs` at `day`, days since 1970-01-01.
double CurveAt(const std::vector<double>& coefs, double angular_frequency,
               double day);

// The curves of `result`, the one pixel that was read from `reader`. Errors
// (kInvalidArgument): the records hold no curves: no t_start, t_end and
// coefs(band, coef).
absl::StatusOr<PixelCurves> CurvesOf(const cube::SegmentReader& reader,
                                     const core::BlockResult& result);

// Reads from `cube_path` what the file's function saw of the pixel at `index`.
// Errors: those of planning the job again, which needs the variables of then.
absl::StatusOr<ObservedPixel> ReadObservations(
    const cube::SegmentReader& reader, const std::string& cube_path,
    const std::string& group, const std::vector<int64_t>& index);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_PIXEL_VIEW_H_
