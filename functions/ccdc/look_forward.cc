#include "functions/ccdc/look_forward.h"

#include <algorithm>
#include <cmath>

#include "functions/ccdc/median.h"

namespace internode::functions::ccdc {
namespace {

// Observations from which the seasonal residual error is computed.
constexpr int kSeasonal = 24;

// What look forward keeps from step to step.
struct Walk {
  bool fitted = false;
  int fit_end = 0;       // the curves were fitted on [begin, fit_end)
  double fit_span = 0;   // days
  int coefficients = 0;  // that the last step asked for
  int last_first = 0;    // first observation of the last peek window
  bool dropped = false;  // the last step dropped its first observation, whose
                         // residuals are in state.residual
  bool seasons_ready = false;
  bool change = false;
};

int Span(const Series& series, int begin, int end) {
  return series.day(end - 1) - series.day(begin);
}

void Refit(const DateTable& dates, const LassoOptions& options, Walk& walk,
           PixelState& state) {
  const bool grows = walk.fitted && state.sums.begin() == state.begin &&
                     state.sums.columns() == walk.coefficients;
  if (!grows) state.sums.Start(state.series, state.begin, walk.coefficients);
  state.sums.Extend(state.series, dates, state.end);
  FitCurves(options, state.series, dates, state.sums, state.curves);
  walk.fitted = true;
  walk.fit_end = state.end;
  walk.seasons_ready = false;
}

// The scale of the score with the error of the season of date `target`: the
// root mean square of the residuals of the 24 nearest observations.
void ScaleBySeason(const Model& model, const DateTable& dates, int target,
                   Walk& walk, PixelState& state) {
  if (!walk.seasons_ready) {
    state.season.Reset(dates);
    state.season.Add(dates, state.series, state.begin, walk.fit_end);
    walk.seasons_ready = true;
  }
  const std::vector<int32_t>& nearest =
      state.season.Nearest(dates, target, kSeasonal, model.pyccd());
  const int groups = model.groups();
  const int32_t* first = state.series.dates() + state.begin;
  const int32_t* last = state.series.dates() + walk.fit_end;
  state.residual.resize(static_cast<size_t>(groups));
  std::vector<Row>& sum = state.seasonal_rmse;
  sum.assign(static_cast<size_t>(groups), Row{});
  for (const int32_t date : nearest) {
    const auto i =
        static_cast<int>(std::lower_bound(first, last, date) - first);
    Residuals(state.series, dates, state.curves, state.begin + i,
              state.residual.data());
    for (size_t g = 0; g < sum.size(); ++g) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const double r = state.residual[g].v[lane];
        sum[g].v[lane] += r * r;
      }
    }
  }
  // The reference divides by the 24 - 8 of a full set, whatever it has.
  const int n = static_cast<int>(nearest.size());
  const double divisor =
      model.pyccd() ? 16 : std::max(n - state.curves.coefficients, 1);
  for (Row& row : sum) {
    for (double& x : row.v) x = std::sqrt(x / divisor);
  }
  ScaleBy(state.variogram, sum, state.scale);
}

enum class Step { kAdvance, kDrop, kChange };

// Looks at the peek window that starts at state.end.
Step Look(const Model& model, const DateTable& dates, Walk& walk,
          PixelState& state) {
  const int first = state.end;
  const auto score = [&](int i, const std::vector<Row>& scale) {
    return Score(state.series, dates, state.curves, i, scale.data(),
                 model.detection().data());
  };
  const double threshold = state.change_threshold;
  if (first - state.begin <= kSeasonal) {
    ScaleBy(state.variogram, state.curves.rmse, state.scale);
  } else {
    // No error makes the score greater than the madogram alone does.
    const double bound = score(first, state.variogram_inverse);
    if (bound <= std::min(threshold, model.outlier_threshold())) {
      return Step::kAdvance;
    }
    ScaleBySeason(model, dates, state.series.date(first + state.peek - 1), walk,
                  state);
  }
  const double nearest = score(first, state.scale);
  bool change = nearest > threshold;
  for (int i = first + 1; change && i < first + state.peek; ++i) {
    change = score(i, state.scale) > threshold;
  }
  if (change) return Step::kChange;
  return nearest > model.outlier_threshold() ? Step::kDrop : Step::kAdvance;
}

// The median over the last peek window of the residuals of each band: of their
// absolute values, or with their sign.
void Magnitude(const Model& model, const DateTable& dates, const Walk& walk,
               PixelState& state) {
  const auto groups = static_cast<size_t>(model.groups());
  const int kept = walk.dropped ? 1 : 0;
  state.residual.resize(groups * static_cast<size_t>(state.peek));
  Row* residual = state.residual.data();
  if (walk.dropped) {
    std::copy(state.dropped.begin(), state.dropped.end(), residual);
  }
  for (int i = kept; i < state.peek; ++i) {
    Residuals(state.series, dates, state.curves, walk.last_first + i - kept,
              residual + static_cast<size_t>(i) * groups);
  }
  for (int band = 0; band < model.bands(); ++band) {
    const auto g = static_cast<size_t>(band / kLanes);
    const int lane = band % kLanes;
    state.values.clear();
    for (size_t i = 0; i < static_cast<size_t>(state.peek); ++i) {
      const double r = residual[i * groups + g].v[lane];
      state.values.push_back(model.pyccd() ? std::fabs(r) : r);
    }
    state.magnitude[g].v[lane] = MedianOf(absl::MakeSpan(state.values));
  }
}

void AddSegment(const Model& model, const DateTable& dates, const Walk& walk,
                PixelState& state) {
  Magnitude(model, dates, walk, state);
  const Series& series = state.series;
  Segment segment;
  segment.start_day = series.day(state.begin);
  segment.end_day = series.day(state.end - 1);
  segment.break_day = series.day(walk.last_first);
  if (!model.pyccd() && !walk.change) segment.break_day = segment.end_day;
  segment.observation_count = state.end - state.begin;
  segment.change_probability = walk.change ? 1 : 0;
  segment.curve_qa = static_cast<int16_t>(
      model.pyccd() ? walk.coefficients : state.curves.coefficients);
  state.segments.Add(model, dates, series, segment, state.curves,
                     state.magnitude.data());
}

bool MustRefit(const Model& model, const Walk& walk, const PixelState& state) {
  if (!walk.fitted) return true;
  const int n = state.end - state.begin;
  if (n < kSeasonal) return true;
  const double factor = model.parameters().refit_factor;
  if (Span(state.series, state.begin, state.end) >= factor * walk.fit_span) {
    return true;
  }
  return !model.pyccd() && state.curves.coefficients != walk.coefficients;
}

}  // namespace

void LookForward(const Model& model, const DateTable& dates,
                 PixelState& state) {
  const LassoOptions options = LassoOptionsOf(model.parameters());
  Series& series = state.series;
  Walk walk;
  walk.fit_span = Span(series, state.begin, state.end);
  while (!walk.change && state.end + state.peek <= series.size()) {
    walk.coefficients = model.Coefficients(state.end - state.begin);
    if (MustRefit(model, walk, state)) {
      walk.fit_span = Span(series, state.begin, state.end);
      Refit(dates, options, walk, state);
    }
    const Step step = Look(model, dates, walk, state);
    walk.last_first = state.end;
    walk.dropped = step == Step::kDrop;
    if (step == Step::kChange) {
      walk.change = true;
    } else if (step == Step::kAdvance) {
      ++state.end;
    } else {
      state.dropped.resize(static_cast<size_t>(model.groups()));
      Residuals(series, dates, state.curves, state.end, state.dropped.data());
      series.Drop(state.end);
    }
  }
  AddSegment(model, dates, walk, state);
}

}  // namespace internode::functions::ccdc
