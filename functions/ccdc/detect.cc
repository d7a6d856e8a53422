#include "functions/ccdc/detect.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "functions/ccdc/catch.h"
#include "functions/ccdc/initialise.h"
#include "functions/ccdc/look_back.h"
#include "functions/ccdc/look_forward.h"

namespace internode::functions::ccdc {
namespace {

// Classifies all observations in the order of dates; returns the index of the
// first unsupported code, or -1.
template <typename T>
int Classify(const QaClassifier& qa, const T* codes, const DateTable& dates,
             int (&counts)[kQaClasses], std::vector<QaClass>& classes) {
  int unsupported = -1;
  const int32_t* order = dates.order();
  for (int i = 0; i < dates.size(); ++i) {
    const QaClass c = qa.Classify(static_cast<int64_t>(codes[order[i]]));
    classes[static_cast<size_t>(i)] = c;
    ++counts[static_cast<size_t>(c)];
    if (c == QaClass::kUnsupported && unsupported < 0) unsupported = i;
  }
  return unsupported;
}

void Fail(const DateTable& dates, std::string message, Workspace& workspace) {
  workspace.result.status = PixelStatus::kFailed;
  workspace.result.message = std::move(message);
  workspace.state.series.ClearMask(dates);
}

// False if a quality code has no meaning in the encoding.
bool ReadQuality(const Model& model, const DateTable& dates,
                 const PixelInput& pixel, QaSummary& summary,
                 Workspace& workspace) {
  int counts[kQaClasses] = {};
  workspace.classes.resize(static_cast<size_t>(dates.size()));
  if (model.parameters().qa_encoding == QaEncoding::kNone) {
    std::fill(workspace.classes.begin(), workspace.classes.end(),
              QaClass::kClear);
    counts[static_cast<size_t>(QaClass::kClear)] = dates.size();
    summary = QaSummary::FromCounts(counts);
    return true;
  }
  return VisitValues(pixel.qa, [&](const auto* codes) {
    const int bad =
        Classify(model.qa(), codes, dates, counts, workspace.classes);
    summary = QaSummary::FromCounts(counts);
    if (bad < 0) return true;
    Fail(dates,
         absl::StrCat("quality code ",
                      static_cast<int64_t>(codes[dates.order()[bad]]),
                      " of observation ", dates.order()[bad],
                      " has none of the bits that say what it shows"),
         workspace);
    return false;
  });
}

// One curve over all, where too few observations are clear.
void DetectSimple(const Model& model, const DateTable& dates,
                  Workspace& workspace) {
  PixelState& state = workspace.state;
  const int n = state.series.size();
  if (n < model.parameters().meow_size) {
    workspace.result.status = PixelStatus::kTooFewObservations;
    return;
  }
  // The reference lets the segment span all observations, fill included.
  int32_t first = dates.days()[0];
  int32_t last = dates.days()[dates.size() - 1];
  if (!model.pyccd()) {
    first = state.series.day(0);
    last = state.series.day(n - 1);
  }
  const CurveQa quality = workspace.result.procedure == Procedure::kSnow
                              ? kPersistentSnow
                              : kInsufficientClear;
  CatchCurve(model, dates, 0, n, first, last, last, quality, state);
}

void CatchStart(const Model& model, const DateTable& dates, PixelState& state) {
  const Series& series = state.series;
  CatchCurve(model, dates, state.previous, state.begin,
             series.day(state.previous), series.day(state.begin - 1),
             series.day(state.begin), kStartCurve, state);
}

// The segments, from the first observation to the last.
void WalkPixel(const Model& model, const DateTable& dates, PixelState& state) {
  const int meow = model.parameters().meow_size;
  state.begin = 0;
  state.end = meow;
  state.previous = 0;
  while (state.end <= state.series.size() - meow) {
    if (!Initialise(model, dates, state)) break;
    if (state.begin > state.previous) LookBack(model, dates, state);
    state.series.Reach(state.end);
    if (state.segments.size() == 0 &&
        state.begin - state.previous > state.peek) {
      CatchStart(model, dates, state);
      if (!model.pyccd()) state.previous = state.begin;
    }
    if (state.end + state.peek > state.series.size()) break;
    LookForward(model, dates, state);
    state.previous = state.end;
    state.begin = state.end;
    state.end = state.begin + meow;
  }
  const int n = state.series.size();
  if (state.previous + state.peek < n) {
    state.series.Reach(n);
    const int32_t last = state.series.day(n - 1);
    CatchCurve(model, dates, state.previous, n,
               state.series.day(state.previous), last, last, kEndCurve, state);
  }
}

void DetectStandard(const Model& model, const DateTable& dates,
                    Workspace& workspace) {
  PixelState& state = workspace.state;
  const Parameters& p = model.parameters();
  const int n = state.series.size();
  const int needed = model.pyccd() ? p.meow_size + 1 : p.meow_size;
  if (n < needed) {
    workspace.result.status = PixelStatus::kTooFewObservations;
    return;
  }
  state.peek = model.PeekSize(MedianStep(state.series, state.variogram_space));
  state.change_threshold = model.ChangeThreshold(state.peek);
  if (!Variogram(state.series, model.bands(), p.variogram_lag_days,
                 state.variogram_space, state.variogram.data())) {
    if (!model.pyccd()) return;
    return Fail(dates,
                absl::StrCat("all ", n, " usable observations lie within ",
                             p.variogram_lag_days, " days"),
                workspace);
  }
  for (size_t g = 0; g < state.variogram.size(); ++g) {
    for (int lane = 0; lane < kLanes; ++lane) {
      state.variogram_inverse[g].v[lane] = 1 / state.variogram[g].v[lane];
    }
  }
  WalkPixel(model, dates, state);
}

}  // namespace

void DetectSegments(const Model& model, const DateTable& dates,
                    const PixelInput& pixel, Workspace& workspace) {
  PixelState& state = workspace.state;
  PixelResult& result = workspace.result;
  state.Resize(model);
  result.status = PixelStatus::kNoSegments;
  result.message.clear();
  QaSummary summary;
  if (!ReadQuality(model, dates, pixel, summary, workspace)) return;
  result.cloud_probability = summary.CloudProbability();
  result.snow_probability = summary.SnowProbability();
  result.water_probability = summary.WaterProbability();
  result.procedure = ChooseProcedure(model, summary);
  FilterObservations(model, dates, pixel, workspace.classes, result.procedure,
                     workspace.filter, state.series);
  if (result.procedure == Procedure::kStandard) {
    DetectStandard(model, dates, workspace);
  } else {
    DetectSimple(model, dates, workspace);
  }
  if (!state.segments.finite()) {
    state.segments.Reset(model);
    return Fail(dates, "the values are too large for double precision",
                workspace);
  }
  if (state.segments.size() > 0) result.status = PixelStatus::kOk;
}

}  // namespace internode::functions::ccdc
