#ifndef INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_INVARIANTS_H_
#define INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_INVARIANTS_H_

#include <cmath>
#include <string>

#include "functions/ccdc/detect.h"

namespace internode::functions::ccdc::testing {

// What holds for the result of any pixel; empty, or what is wrong.
inline std::string BrokenInvariant(const Model& model, const DateTable& dates,
                                   const Workspace& workspace) {
  const SegmentList& list = workspace.segments();
  const PixelStatus status = workspace.result.status;
  if ((status == PixelStatus::kOk) != (list.size() > 0)) {
    return "status and number of segments contradict each other";
  }
  if ((status == PixelStatus::kFailed) == workspace.result.message.empty()) {
    return "a message is there exactly when the pixel failed";
  }
  if (workspace.processing_mask().size() != static_cast<size_t>(dates.size())) {
    return "the mask has another size than the dates";
  }
  for (int s = 0; s < list.size(); ++s) {
    const Segment& segment = list.segment(s);
    const int32_t first = dates.days()[0];
    const int32_t last = dates.days()[dates.size() - 1];
    if (segment.start_day < first || segment.end_day > last ||
        segment.start_day > segment.end_day) {
      return "a segment is out of the dates";
    }
    if (segment.break_day < segment.end_day || segment.break_day > last) {
      return "a break is out of the dates";
    }
    if (segment.observation_count < 1 ||
        segment.observation_count > dates.size()) {
      return "an observation count is out of range";
    }
    if (segment.change_probability != 0 && segment.change_probability != 1) {
      return "a change probability is neither 0 nor 1";
    }
    switch (segment.curve_qa) {
      case 4:
      case 6:
      case 8:
      case kStartCurve:
      case kEndCurve:
      case kInsufficientClear:
      case kPersistentSnow:
        break;
      default:
        return "an unknown curve quality";
    }
    for (const double x : list.coefs(s)) {
      if (!std::isfinite(x)) return "a coefficient is not finite";
    }
    for (size_t b = 0; b < static_cast<size_t>(model.bands()); ++b) {
      if (!(list.rmse(s)[b] >= 0)) return "an rmse is negative or NaN";
      if (!std::isfinite(list.magnitude(s)[b])) {
        return "a magnitude is not finite";
      }
    }
  }
  return "";
}

}  // namespace internode::functions::ccdc::testing

#endif  // INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_INVARIANTS_H_
