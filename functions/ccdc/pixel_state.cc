#include "functions/ccdc/pixel_state.h"

#include <cmath>

namespace internode::functions::ccdc {

void PixelState::Resize(const Model& model) {
  const auto groups = static_cast<size_t>(model.groups());
  variogram.resize(groups);
  variogram_inverse.resize(groups);
  scale.resize(groups);
  magnitude.resize(groups);
  least_scale.resize(groups);
  season_sum.resize(groups);
  season_least.resize(groups);
  season_most.resize(groups);
  tied_least.resize(groups);
  tied_most.resize(groups);
  bounds.resize(kBounds);
  curves.Resize(model.groups());
  segments.Reset(model);
  effort = Effort();
  begin = 0;
  end = 0;
  previous = 0;
}

void ScaleBy(const std::vector<Row>& variogram, const std::vector<Row>& rmse,
             std::vector<Row>& scale) {
  for (size_t g = 0; g < scale.size(); ++g) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double v = variogram[g].v[lane];
      const double r = rmse[g].v[lane];
      scale[g].v[lane] = 1 / (r <= v ? v : r);
    }
  }
}

LassoOptions LassoOptionsOf(const Parameters& p) {
  return {p.lambda, p.tolerance, p.max_iterations};
}

void FitWindow(const Model& model, const DateTable& dates, int begin, int end,
               int coefficients, PixelState& state) {
  state.sums.Start(state.series, begin, coefficients);
  state.sums.Extend(state.series, dates, end);
  state.effort.summed += end - begin;
  ++state.effort.fits;
  FitCurves(LassoOptionsOf(model.parameters()), state.series, dates, state.sums,
            state.curves);
}

}  // namespace internode::functions::ccdc
