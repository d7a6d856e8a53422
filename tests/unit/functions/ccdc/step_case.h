#ifndef INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_STEP_CASE_H_
#define INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_STEP_CASE_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "functions/ccdc/detect.h"

namespace internode::functions::ccdc::testing {

// One band that is detection and Tmask band, without a thermal one.
inline Parameters OneBandParameters(Compat compat = Compat::kPyccd) {
  Parameters p;
  p.bands.resize(1);
  p.detection_bands = {0};
  p.tmask_bands = {0};
  p.qa_encoding = QaEncoding::kNone;
  p.compat = compat;
  return p;
}

// A season of 200 with a spread of 10 either way, the same at every call.
inline double Calm(int32_t day, int i) {
  return 2000 + 200 * std::cos(day * 2 * std::acos(-1.0) / 365.2425) +
         static_cast<double>((i * 37) % 21) - 10;
}

inline double Nothing(int) { return 0; }

// A pixel of one band in the middle of the algorithm: all observations kept,
// a madogram of 20, nothing found so far.
struct StepCase {
  // `add`: what observation i is off the calm course.
  StepCase(const Parameters& parameters, int n, int days_between,
           const std::function<double(int)>& add)
      : model(Model::Make(parameters).value()),
        dates(DateTable::Make(model, Days(n, days_between)).value()) {
    state.Resize(model);
    state.series.Reset(model, dates);
    for (int i = 0; i < n; ++i) {
      state.series.candidate_rows()[i].v[0] = Calm(dates.days()[i], i) + add(i);
      state.series.Keep(i, i, dates.days()[i]);
    }
    state.series.SubtractOrigin(0);
    for (int lane = 0; lane < kLanes; ++lane) {
      state.variogram[0].v[lane] = lane == 0 ? 20 : 0;
      state.variogram_inverse[0].v[lane] = 1 / state.variogram[0].v[lane];
    }
    state.peek = parameters.peek_size;
    state.change_threshold = model.ChangeThreshold(state.peek);
    state.end = parameters.meow_size;
  }

  // Fits [begin, end) with four coefficients, as after initialising.
  void Fitted(int begin, int end) {
    state.begin = begin;
    state.end = end;
    FitWindow(model, dates, begin, end, 4, state);
  }
  int32_t day(int i) const { return dates.days()[i]; }
  int kept(int i) const { return state.series.mask()[static_cast<size_t>(i)]; }
  int dropped() const { return dates.size() - state.series.size(); }

  static std::vector<int32_t> Days(int n, int days_between) {
    std::vector<int32_t> days;
    days.reserve(static_cast<size_t>(n));
    for (int i = 0; i < n; ++i) days.push_back(9000 + days_between * i);
    return days;
  }

  Model model;
  DateTable dates;
  PixelState state;
};

}  // namespace internode::functions::ccdc::testing

#endif  // INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_STEP_CASE_H_
