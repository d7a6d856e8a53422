#include "functions/ccdc/median.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/median.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef INTERNODE_FUNCTIONS_CCDC_MEDIAN_ONCE_
#define INTERNODE_FUNCTIONS_CCDC_MEDIAN_ONCE_
namespace internode::functions::ccdc {

// Values from `low` to `high`, these included.
struct Bracket {
  double low = -HUGE_VAL;
  double high = HUGE_VAL;
};

struct BracketCounts {
  size_t below;
  size_t up_to_high;
};

}  // namespace internode::functions::ccdc
#endif  // INTERNODE_FUNCTIONS_CCDC_MEDIAN_ONCE_

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Doubles = hn::ScalableTag<double>;

BracketCounts CountInBracket(const double* values, size_t count,
                             const Bracket& bracket) {
  const Doubles d;
  const size_t per = hn::Lanes(d);
  const auto low = hn::Set(d, bracket.low);
  const auto high = hn::Set(d, bracket.high);
  BracketCounts counts = {0, 0};
  size_t i = 0;
  for (; i + per <= count; i += per) {
    const auto x = hn::LoadU(d, values + i);
    counts.below += hn::CountTrue(d, hn::Lt(x, low));
    counts.up_to_high += hn::CountTrue(d, hn::Le(x, high));
  }
  for (; i < count; ++i) {
    counts.below += values[i] < bracket.low ? 1 : 0;
    counts.up_to_high += values[i] <= bracket.high ? 1 : 0;
  }
  return counts;
}

// Leaves only those in the bracket, at the front; returns how many.
size_t KeepBracket(double* values, size_t count, const Bracket& bracket) {
  const Doubles d;
  const size_t per = hn::Lanes(d);
  const auto low = hn::Set(d, bracket.low);
  const auto high = hn::Set(d, bracket.high);
  size_t kept = 0;
  size_t i = 0;
  for (; i + per <= count; i += per) {
    const auto x = hn::LoadU(d, values + i);
    const auto inside = hn::And(hn::Le(low, x), hn::Le(x, high));
    // Overwrites only what has been read.
    kept += hn::CompressStore(x, inside, d, values + kept);
  }
  for (; i < count; ++i) {
    const double x = values[i];
    values[kept] = x;
    kept += bracket.low <= x && x <= bracket.high ? 1 : 0;
  }
  return kept;
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(CountInBracket);
HWY_EXPORT(KeepBracket);

namespace {

// Up to this many a partition is as fast as brackets.
constexpr size_t kFew = 48;
// A bracket is guessed from so many values, this many to either side of where
// the wanted one should be.
constexpr size_t kSample = 16;
constexpr size_t kMargin = 2;

// A bracket in which the value of rank `rank` probably is.
Bracket GuessBracket(absl::Span<const double> values, size_t rank) {
  double sample[kSample];
  for (size_t i = 0; i < kSample; ++i) {
    sample[i] = values[(2 * i + 1) * values.size() / (2 * kSample)];
  }
  const size_t centre = rank * kSample / values.size();
  Bracket bracket;
  for (const double x : sample) {
    size_t below = 0;
    for (const double other : sample) below += other < x ? 1 : 0;
    if (below + kMargin <= centre) bracket.low = std::max(bracket.low, x);
    if (below > centre + kMargin) bracket.high = std::min(bracket.high, x);
  }
  return bracket;
}

// Leaves fewer values, among which those of the ranks `first` (from 0) to
// `last` are, and counts the ranks down; false if it cannot.
bool Narrow(absl::Span<double>& values, size_t& first, size_t& last) {
  Bracket bracket = GuessBracket(values, last);
  const BracketCounts counts = HWY_DYNAMIC_DISPATCH(CountInBracket)(
      values.data(), values.size(), bracket);
  size_t before = counts.below;
  if (last < counts.below) {
    bracket = {-HUGE_VAL, std::nextafter(bracket.low, -HUGE_VAL)};
    before = 0;
  } else if (first >= counts.up_to_high) {
    bracket = {std::nextafter(bracket.high, HUGE_VAL), HUGE_VAL};
    before = counts.up_to_high;
  } else if (first < counts.below || last >= counts.up_to_high ||
             4 * (counts.up_to_high - counts.below) > 3 * values.size()) {
    return false;
  }
  const size_t kept =
      HWY_DYNAMIC_DISPATCH(KeepBracket)(values.data(), values.size(), bracket);
  values = values.subspan(0, kept);
  first -= before;
  last -= before;
  return last < kept;
}

}  // namespace

double MedianOf(absl::Span<double> values) {
  size_t first = (values.size() - 1) / 2;
  size_t last = values.size() / 2;
  while (values.size() > kFew && Narrow(values, first, last)) {
  }
  // Not a number among them, and ranks mean nothing.
  if (last >= values.size()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<ptrdiff_t>(last);
  std::nth_element(values.begin(), middle, values.end());
  if (first == last) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
