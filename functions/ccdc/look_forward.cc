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
  // Observations whose bounds are in state.bounds, if any.
  int bounds_begin = 0;
  int bounds_end = 0;
};

int Span(const Series& series, int begin, int end) {
  return series.day(end - 1) - series.day(begin);
}

void Refit(const DateTable& dates, const LassoOptions& options, Walk& walk,
           PixelState& state) {
  const bool grows = walk.fitted && state.sums.begin() == state.begin &&
                     state.sums.columns() == walk.coefficients;
  if (!grows) state.sums.Start(state.series, state.begin, walk.coefficients);
  state.effort.summed += state.end - state.sums.end();
  ++state.effort.fits;
  state.sums.Extend(state.series, dates, state.end);
  FitCurves(options, state.series, dates, state.sums, state.curves);
  walk.fitted = true;
  walk.fit_end = state.end;
  walk.seasons_ready = false;
  walk.bounds_end = 0;
}

enum class Step { kAdvance, kDrop, kChange };

// Looks at the peek window that starts at state.end.
Step LookWith(const Model& model, const DateTable& dates,
              const std::vector<Row>& scale, const PixelState& state) {
  const auto score = [&](int i) {
    return Score(state.series, dates, state.curves, i, scale.data(),
                 model.detection().data());
  };
  const int first = state.end;
  const double nearest = score(first);
  bool change = nearest > state.change_threshold;
  for (int i = first + 1; change && i < first + state.peek; ++i) {
    change = score(i) > state.change_threshold;
  }
  if (change) return Step::kChange;
  return nearest > model.outlier_threshold() ? Step::kDrop : Step::kAdvance;
}

// Scale of the score from the sum of squares plus `more` times `squares`.
void ScaleBySquares(const PixelState& state, double divisor, double more,
                    const std::vector<Row>& squares, std::vector<Row>& scale) {
  for (size_t g = 0; g < scale.size(); ++g) {
    for (int lane = 0; lane < kLanes; ++lane) {
      double sum = state.season_sum[g].v[lane];
      if (more > 0) sum += more * squares[g].v[lane];
      scale[g].v[lane] = std::sqrt(sum / divisor);
    }
  }
  ScaleBy(state.variogram, scale, scale);
}

void SumSeason(const DateTable& dates, const std::vector<int32_t>& chosen,
               PixelState& state, std::vector<Row>& sum) {
  ResidualSquaresOf(state.series, dates, state.curves, chosen.data(),
                    static_cast<int>(chosen.size()), sum.data(),
                    state.season_least.data(), state.season_most.data());
}

// Looks with the error of the season of the last observation of the peek
// window: the root mean square of the residuals of the 24 nearest in season.
Step LookInSeason(const Model& model, const DateTable& dates, Walk& walk,
                  PixelState& state) {
  if (!walk.seasons_ready) {
    state.season.Reset(dates);
    state.season.Add(dates, state.series, state.begin, walk.fit_end);
    walk.seasons_ready = true;
  }
  ++state.effort.seasons;
  const int target = state.series.date(state.end + state.peek - 1);
  SeasonSpace& season = state.season;
  season.FindNearest(dates, target, kSeasonal);
  // The reference divides by the 24 - 8 of a full set, whatever it has.
  const int n = std::min(kSeasonal, walk.fit_end - state.begin);
  const double divisor =
      model.pyccd() ? 16 : std::max(n - state.curves.coefficients, 1);
  if (!season.tied().empty()) {
    // Which of the tied ones count is costly to find, and nearly always does
    // not matter: the error lies between those with the least and with the
    // greatest residuals, and the score falls with the error.
    const double open = n - static_cast<double>(season.nearest().size());
    SumSeason(dates, season.tied(), state, state.scale);
    std::swap(state.season_least, state.tied_least);
    std::swap(state.season_most, state.tied_most);
    SumSeason(dates, season.nearest(), state, state.season_sum);
    ScaleBySquares(state, divisor, open, state.tied_most, state.least_scale);
    ScaleBySquares(state, divisor, open, state.tied_least, state.scale);
    const Step step = LookWith(model, dates, state.scale, state);
    if (step == LookWith(model, dates, state.least_scale, state)) return step;
    season.BreakTies(dates, target, kSeasonal, model.pyccd());
  }
  SumSeason(dates, season.nearest(), state, state.season_sum);
  ScaleBySquares(state, divisor, 0, state.season_least, state.scale);
  return LookWith(model, dates, state.scale, state);
}

// The score that observation i has with the madogram as the error: no error
// makes it greater. Computed ahead, some at once.
double Bound(const Model& model, const DateTable& dates, int i, Walk& walk,
             PixelState& state) {
  if (i < walk.bounds_begin || i >= walk.bounds_end) {
    walk.bounds_begin = i;
    walk.bounds_end = std::min(i + kBounds, state.series.size());
    state.effort.scored += walk.bounds_end - i;
    Scores(state.series, dates, state.curves, i, walk.bounds_end,
           state.variogram_inverse.data(), model.detection().data(),
           state.bounds.data());
  }
  return state.bounds[static_cast<size_t>(i - walk.bounds_begin)];
}

// Whether the bounds leave nothing to be seen: neither an outlier nor a change.
bool IsCalm(const Model& model, const DateTable& dates, Walk& walk,
            PixelState& state) {
  const double nearest = Bound(model, dates, state.end, walk, state);
  if (!(nearest <= model.outlier_threshold())) return false;
  if (nearest <= state.change_threshold) return true;
  const int end = state.end + state.peek;
  for (int i = state.end + 1; i < end; ++i) {
    const double bound =
        i < walk.bounds_end
            ? state.bounds[static_cast<size_t>(i - walk.bounds_begin)]
            : Score(state.series, dates, state.curves, i,
                    state.variogram_inverse.data(), model.detection().data());
    if (bound <= state.change_threshold) return true;
  }
  return false;
}

Step Look(const Model& model, const DateTable& dates, Walk& walk,
          PixelState& state) {
  if (state.end - state.begin <= kSeasonal) {
    ScaleBy(state.variogram, state.curves.rmse, state.scale);
    return LookWith(model, dates, state.scale, state);
  }
  if (IsCalm(model, dates, walk, state)) return Step::kAdvance;
  return LookInSeason(model, dates, walk, state);
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
  const int ahead = std::max(state.peek, kBounds);
  while (!walk.change && state.end + state.peek <= series.size()) {
    series.Reach(state.end + ahead);
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
      walk.bounds_end = 0;
    }
  }
  series.Reach(state.end + state.peek);
  AddSegment(model, dates, walk, state);
}

}  // namespace internode::functions::ccdc
