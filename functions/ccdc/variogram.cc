#include "functions/ccdc/variogram.h"

#include <algorithm>
#include <cmath>

#include "functions/ccdc/median.h"

namespace internode::functions::ccdc {
namespace {

// Differences below this are counted in a table, others by sorting.
constexpr int32_t kTableDays = 4096;

// The largest number of equal elements.
int32_t LongestRun(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  int32_t longest = 0;
  int32_t run = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    run = i > 0 && values[i] == values[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

// Whether the most frequent of the differences in time over `lag` is more than
// min_days (of several the smallest counts). space.counts is all zeros, before
// and after.
bool LagIsLong(const Series& series, int lag, int min_days,
               VariogramSpace& space) {
  const int32_t* days = series.days();
  const int n = series.size() - lag;
  int32_t best_short = 0;
  int32_t best_long = 0;
  space.values.clear();
  for (int i = 0; i < n; ++i) {
    const int32_t d = days[i + lag] - days[i];
    if (d >= kTableDays) {
      space.values.push_back(d);
      continue;
    }
    int32_t& best = d > min_days ? best_long : best_short;
    best = std::max(best, ++space.counts[static_cast<size_t>(d)]);
  }
  for (int i = 0; i < n; ++i) {
    const int32_t d = days[i + lag] - days[i];
    if (d < kTableDays) space.counts[static_cast<size_t>(d)] = 0;
  }
  best_long = std::max(best_long, LongestRun(space.values));
  return best_long > best_short;
}

// Absolute differences of observations that are `lag` apart and more than
// min_days apart in time: (band, pair), `stride` from band to band. Returns the
// number of pairs.
size_t Differences(const Series& series, int lag, int min_days, size_t stride,
                   double* out) {
  size_t pairs = 0;
  for (int i = 0; i + lag < series.size(); ++i) {
    if (series.day(i + lag) - series.day(i) <= min_days) continue;
    const Row* here = series.row(i);
    const Row* there = series.row(i + lag);
    for (int g = 0; g < series.groups(); ++g) {
      double* column = out + static_cast<size_t>(g * kLanes) * stride + pairs;
      for (size_t lane = 0; lane < kLanes; ++lane) {
        column[lane * stride] = std::fabs(there[g].v[lane] - here[g].v[lane]);
      }
    }
    ++pairs;
  }
  return pairs;
}

}  // namespace

double MedianStep(const Series& series, VariogramSpace& space) {
  space.values.clear();
  for (int i = 1; i < series.size(); ++i) {
    space.values.push_back(series.day(i) - series.day(i - 1));
  }
  return MedianOf(absl::MakeSpan(space.values));
}

bool Variogram(const Series& series, int bands, int min_days,
               VariogramSpace& space, Row* out) {
  std::fill(out, out + series.groups(), Row{});
  if (series.size() < 2) return false;
  space.counts.resize(kTableDays, 0);
  int lag = 1;
  while (lag < series.size() && !LagIsLong(series, lag, min_days, space)) {
    ++lag;
  }
  if (lag >= series.size()) return false;
  // Not a multiple of a page from band to band: their columns would compete
  // for the same lines of the cache.
  const auto most = static_cast<size_t>(series.size() - lag);
  const size_t stride = (most + 511) / 512 * 512 + 72;
  const auto lanes = static_cast<size_t>(series.groups() * kLanes);
  if (space.differences.size() < stride * lanes) {
    space.differences.resize(stride * lanes);
  }
  const size_t pairs =
      Differences(series, lag, min_days, stride, space.differences.data());
  for (int band = 0; band < bands; ++band) {
    double* of_band =
        space.differences.data() + static_cast<size_t>(band) * stride;
    out[band / kLanes].v[band % kLanes] =
        MedianOf(absl::MakeSpan(of_band, pairs));
  }
  return true;
}

}  // namespace internode::functions::ccdc
