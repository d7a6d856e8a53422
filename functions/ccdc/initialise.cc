#include "functions/ccdc/initialise.h"

#include <cmath>

namespace internode::functions::ccdc {
namespace {

int WindowDays(const Series& series, int begin, int end) {
  return series.day(end - 1) - series.day(begin);
}

// Drops the outliers of the window, unless it would become too short or too
// small without them. True if the window is fit for a first model.
bool Screen(const Model& model, const DateTable& dates, PixelState& state) {
  Series& series = state.series;
  const int n = state.end - state.begin;
  state.effort.screened += n;
  const int outliers =
      FindOutliers(model, dates, series, state.variogram.data(), state.begin,
                   state.end, state.tmask);
  if (outliers == 0) return true;
  if (n - outliers < model.parameters().meow_size) return false;
  const std::vector<uint8_t>& outlier = state.tmask.outlier;
  int first = 0;
  while (outlier[static_cast<size_t>(first)] != 0) ++first;
  int last = n - 1;
  while (outlier[static_cast<size_t>(last)] != 0) --last;
  if (series.day(state.begin + last) - series.day(state.begin + first) <
      model.min_days()) {
    return false;
  }
  for (int i = n - 1; i >= 0; --i) {
    if (outlier[static_cast<size_t>(i)] != 0) series.Drop(state.begin + i);
  }
  state.end -= outliers;
  series.Reach(state.end);
  return true;
}

// The sum over the detection bands of the squared normalised sum of slope over
// the window, first and last residual stays below the threshold.
bool IsStable(const Model& model, const DateTable& dates, PixelState& state) {
  const auto groups = static_cast<size_t>(model.groups());
  state.residual.resize(2 * groups);
  Row* first = state.residual.data();
  Row* last = first + groups;
  Residuals(state.series, dates, state.curves, state.begin, first);
  Residuals(state.series, dates, state.curves, state.end - 1, last);
  ScaleBy(state.variogram, state.curves.rmse, state.scale);
  const double span = WindowDays(state.series, state.begin, state.end);
  double sum = 0;
  for (const int band : model.parameters().detection_bands) {
    const auto g = static_cast<size_t>(band / kLanes);
    const int lane = band % kLanes;
    const double slope = state.curves.group(static_cast<int>(g))[1].v[lane];
    const double q = (std::fabs(slope * span) + std::fabs(first[g].v[lane]) +
                      std::fabs(last[g].v[lane])) *
                     state.scale[g].v[lane];
    sum += q * q;
  }
  return sum < state.change_threshold;
}

}  // namespace

bool Initialise(const Model& model, const DateTable& dates, PixelState& state) {
  const int meow = model.parameters().meow_size;
  while (state.end + meow < state.series.size()) {
    state.series.Reach(state.end);
    if (WindowDays(state.series, state.begin, state.end) < model.min_days() ||
        !Screen(model, dates, state)) {
      ++state.end;
      continue;
    }
    FitWindow(model, dates, state.begin, state.end, 4, state);
    if (IsStable(model, dates, state)) return true;
    ++state.begin;
    ++state.end;
  }
  return false;
}

}  // namespace internode::functions::ccdc
