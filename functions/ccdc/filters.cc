#include "functions/ccdc/filters.h"

#include <algorithm>
#include <cmath>

#include "functions/ccdc/median.h"

namespace internode::functions::ccdc {
namespace {

// Tenths of a kelvin to hundredths of a degree Celsius.
constexpr double kThermalScale = 10;
constexpr double kThermalOffset = -27315;

bool Usable(QaClass c, Procedure procedure) {
  const int snow = procedure == Procedure::kSnow ? 1 : 0;
  return ((c == QaClass::kClear ? 1 : 0) | (c == QaClass::kWater ? 1 : 0) |
          (snow & (c == QaClass::kSnow ? 1 : 0))) != 0;
}

struct BandLoad {
  const BandParameters* raw;
  double scale;
  double offset;
  double valid_min;
  double valid_max;
  bool snow_is_exempt;  // from the range
};

BandLoad HowToLoad(const Model& model, int band, Procedure procedure) {
  const BandParameters& p = model.parameters().bands[static_cast<size_t>(band)];
  BandLoad load{&p,          p.scale,
                p.offset,    p.valid_min,
                p.valid_max, model.pyccd() && procedure == Procedure::kSnow};
  // The reference converts the thermal band in the standard procedure only,
  // yet compares it with the same limits in the others.
  const bool convert = band == model.parameters().thermal_band &&
                       (!model.pyccd() || procedure == Procedure::kStandard);
  if (convert) {
    load.scale *= kThermalScale;
    load.offset = load.offset * kThermalScale + kThermalOffset;
  }
  return load;
}

bool IsObservation(double raw, const BandParameters& p) {
  if (!(raw >= p.raw_min && raw <= p.raw_max)) return false;
  return std::find(p.missing.begin(), p.missing.end(), raw) == p.missing.end();
}

// Candidates [begin, end) are loaded band by band while their rows are in the
// cache.
constexpr size_t kBlock = 256;

// The usual case: the range is all that there is to check.
template <typename T>
void LoadPlainBand(const T* values, const BandLoad& load, const int32_t* order,
                   int lanes, size_t begin, size_t end, double* out,
                   FilterSpace& space) {
  const int32_t* candidates = space.candidates.data();
  uint8_t* passes = space.passes.data();
  const double scale = load.scale;
  const double offset = load.offset;
  const double valid_min = load.valid_min;
  const double valid_max = load.valid_max;
  for (size_t c = begin; c < end; ++c, out += lanes) {
    const auto raw = static_cast<double>(values[order[candidates[c]]]);
    const double value = raw * scale + offset;
    *out = value;
    const int above = valid_min < value ? 1 : 0;
    const int below = value < valid_max ? 1 : 0;
    passes[c] &= static_cast<uint8_t>(above & below);
  }
}

template <typename T>
void LoadBand(const T* values, const BandLoad& load, const int32_t* order,
              const std::vector<QaClass>& classes, int lanes, size_t begin,
              size_t end, double* out, FilterSpace& space) {
  const bool limited = !load.raw->missing.empty() ||
                       std::isfinite(load.raw->raw_min) ||
                       std::isfinite(load.raw->raw_max);
  if (!limited && !load.snow_is_exempt) {
    return LoadPlainBand(values, load, order, lanes, begin, end, out, space);
  }
  for (size_t c = begin; c < end; ++c, out += lanes) {
    const auto date = static_cast<size_t>(space.candidates[c]);
    const auto raw = static_cast<double>(values[order[date]]);
    const double value = raw * load.scale + load.offset;
    *out = value;
    bool valid = load.valid_min < value && value < load.valid_max;
    if (limited) valid = valid && IsObservation(raw, *load.raw);
    if (load.snow_is_exempt && classes[date] == QaClass::kSnow) {
      valid = std::isfinite(value);
    }
    space.passes[c] &= static_cast<uint8_t>(valid);
  }
}

// Writes the values of candidates [begin, end) and checks them.
void LoadCandidates(const Model& model, const DateTable& dates,
                    const PixelInput& pixel,
                    const std::vector<QaClass>& classes, Procedure procedure,
                    size_t begin, size_t end, FilterSpace& space,
                    Series& series) {
  const auto groups = static_cast<size_t>(model.groups());
  double* rows = series.candidate_rows()[begin * groups].v;
  for (int band = 0; band < model.bands(); ++band) {
    const BandLoad load = HowToLoad(model, band, procedure);
    VisitValues(pixel.bands[static_cast<size_t>(band)],
                [&](const auto* values) {
                  LoadBand(values, load, dates.order(), classes, model.lanes(),
                           begin, end, rows + band, space);
                });
  }
}

// Keeps those of candidates [begin, end) that pass, the first of each day.
void KeepCandidates(const DateTable& dates, size_t begin, size_t end,
                    const FilterSpace& space, Series& series) {
  for (size_t c = begin; c < end; ++c) {
    if (space.passes[c] == 0) continue;
    const int32_t date = space.candidates[c];
    const int32_t day = dates.days()[date];
    const int n = series.size();
    if (n > 0 && series.day(n - 1) == day) continue;
    series.Keep(static_cast<int>(c), date, day);
  }
}

// Leaves out observations that are far greener than the median: haze.
void FilterGreen(const Model& model, FilterSpace& space, Series& series) {
  const int green = model.parameters().green_band;
  if (green < 0 || series.size() == 0) return;
  space.values.clear();
  for (int i = 0; i < series.size(); ++i) {
    space.values.push_back(series.value(i, green));
  }
  const double limit =
      MedianOf(absl::MakeSpan(space.values)) + model.parameters().green_excess;
  space.hazy.clear();
  for (int i = 0; i < series.size(); ++i) {
    space.hazy.push_back(series.value(i, green) < limit ? 0 : 1);
  }
  series.DropAll(space.hazy);
}

}  // namespace

Procedure ChooseProcedure(const Model& model, const QaSummary& summary) {
  if (summary.ClearFraction() >= model.parameters().clear_fraction) {
    return Procedure::kStandard;
  }
  return summary.SnowProbability() >= model.parameters().snow_fraction
             ? Procedure::kSnow
             : Procedure::kInsufficientClear;
}

void FilterObservations(const Model& model, const DateTable& dates,
                        const PixelInput& pixel,
                        const std::vector<QaClass>& classes,
                        Procedure procedure, FilterSpace& space,
                        Series& series) {
  series.Reset(model, dates);
  // Without a branch: whether a date is usable cannot be foreseen.
  space.candidates.resize(static_cast<size_t>(dates.size()));
  size_t usable = 0;
  for (int i = 0; i < dates.size(); ++i) {
    space.candidates[usable] = i;
    usable += Usable(classes[static_cast<size_t>(i)], procedure) ? 1 : 0;
  }
  space.candidates.resize(usable);
  space.passes.assign(usable, 1);
  const bool hazy = procedure == Procedure::kInsufficientClear;
  for (size_t begin = 0; begin < usable; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, usable);
    const int kept = series.size();
    LoadCandidates(model, dates, pixel, classes, procedure, begin, end, space,
                   series);
    KeepCandidates(dates, begin, end, space, series);
    if (!hazy) series.SubtractOrigin(kept);
  }
  if (!hazy) return;
  FilterGreen(model, space, series);
  series.SubtractOrigin(0);
}

}  // namespace internode::functions::ccdc
