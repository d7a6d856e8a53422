#include "functions/ccdc/look_back.h"

namespace internode::functions::ccdc {
namespace {

// The last observation to look at, going back from begin - 1.
int FarthestBack(const Model& model, const PixelState& state) {
  const int begin = state.begin;
  if (!model.pyccd()) return std::max(begin - state.peek, state.previous);
  // One observation less than the peek size; and with a long peek back to the
  // start of the series, whatever segments lie there.
  if (begin - state.previous > state.peek) return begin - state.peek + 1;
  return begin - state.peek <= 0 ? 0 : state.previous;
}

}  // namespace

void LookBack(const Model& model, const DateTable& dates, PixelState& state) {
  ScaleBy(state.variogram, state.curves.rmse, state.scale);
  const auto score = [&](int i) {
    return Score(state.series, dates, state.curves, i, state.scale.data(),
                 model.detection().data());
  };
  while (state.begin > state.previous) {
    const int farthest = FarthestBack(model, state);
    const double nearest = score(state.begin - 1);
    bool change = nearest > state.change_threshold;
    for (int i = state.begin - 2; change && i >= farthest; --i) {
      change = score(i) > state.change_threshold;
    }
    if (change) return;
    --state.begin;
    if (nearest > model.outlier_threshold()) {
      state.series.Drop(state.begin);
      --state.end;
    }
  }
}

}  // namespace internode::functions::ccdc
