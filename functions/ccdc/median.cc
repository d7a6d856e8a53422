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

// A bracket is guessed from so many values, this many to either side of where
// the wanted one should be.
inline constexpr size_t kSample = 16;
inline constexpr size_t kMargin = 2;

}  // namespace internode::functions::ccdc
#endif  // INTERNODE_FUNCTIONS_CCDC_MEDIAN_ONCE_

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Doubles = hn::CappedTag<double, kSample>;

// A bracket in which the value of rank `rank` probably is.
HWY_INLINE Bracket GuessBracket(absl::Span<const double> values, size_t rank) {
  const Doubles d;
  double sample[kSample];
  for (size_t i = 0; i < kSample; ++i) {
    sample[i] = values[(2 * i + 1) * values.size() / (2 * kSample)];
  }
  const size_t centre = rank * kSample / values.size();
  Bracket bracket;
  for (const double x : sample) {
    size_t below = 0;
    for (size_t i = 0; i < kSample; i += hn::Lanes(d)) {
      below +=
          hn::CountTrue(d, hn::Lt(hn::LoadU(d, sample + i), hn::Set(d, x)));
    }
    bracket.low =
        std::max(bracket.low, below + kMargin <= centre ? x : -HUGE_VAL);
    bracket.high =
        std::min(bracket.high, below > centre + kMargin ? x : HUGE_VAL);
  }
  return bracket;
}

// How many are below the bracket, and how many not above it.
HWY_INLINE void CountInBracket(absl::Span<const double> values,
                               const Bracket& bracket, size_t& below,
                               size_t& up_to_high) {
  const Doubles d;
  const size_t per = hn::Lanes(d);
  const auto low = hn::Set(d, bracket.low);
  const auto high = hn::Set(d, bracket.high);
  below = 0;
  up_to_high = 0;
  size_t i = 0;
  for (; i + per <= values.size(); i += per) {
    const auto x = hn::LoadU(d, values.data() + i);
    below += hn::CountTrue(d, hn::Lt(x, low));
    up_to_high += hn::CountTrue(d, hn::Le(x, high));
  }
  for (; i < values.size(); ++i) {
    below += values[i] < bracket.low ? 1 : 0;
    up_to_high += values[i] <= bracket.high ? 1 : 0;
  }
}

// Leaves only those in the bracket.
HWY_INLINE void KeepBracket(const Bracket& bracket,
                            absl::Span<double>& values) {
  const Doubles d;
  const size_t per = hn::Lanes(d);
  const auto low = hn::Set(d, bracket.low);
  const auto high = hn::Set(d, bracket.high);
  size_t kept = 0;
  size_t i = 0;
  for (; i + per <= values.size(); i += per) {
    const auto x = hn::LoadU(d, values.data() + i);
    const auto inside = hn::And(hn::Le(low, x), hn::Le(x, high));
    // Overwrites only what has been read.
    kept += hn::CompressStore(x, inside, d, values.data() + kept);
  }
  for (; i < values.size(); ++i) {
    const double x = values[i];
    values[kept] = x;
    kept += bracket.low <= x && x <= bracket.high ? 1 : 0;
  }
  values = values.subspan(0, kept);
}

// Leaves fewer values, among which those of the ranks `first` (from 0) to
// `last` are, and counts the ranks down; false if it cannot.
bool Narrow(absl::Span<double>& values, size_t& first, size_t& last) {
  Bracket bracket = GuessBracket(values, last);
  size_t below;
  size_t up_to_high;
  CountInBracket(values, bracket, below, up_to_high);
  size_t before = below;
  if (last < below) {
    bracket = {-HUGE_VAL, std::nextafter(bracket.low, -HUGE_VAL)};
    before = 0;
  } else if (first >= up_to_high) {
    bracket = {std::nextafter(bracket.high, HUGE_VAL), HUGE_VAL};
    before = up_to_high;
  } else if (first < below || last >= up_to_high ||
             4 * (up_to_high - below) > 3 * values.size()) {
    return false;
  }
  KeepBracket(bracket, values);
  first -= before;
  last -= before;
  return last < values.size();
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(Narrow);

namespace {

// Up to this many a partition is as fast as brackets.
constexpr size_t kFew = 20;

}  // namespace

double MedianOf(absl::Span<double> values) {
  size_t first = (values.size() - 1) / 2;
  size_t last = values.size() / 2;
  while (values.size() > kFew &&
         HWY_DYNAMIC_DISPATCH(Narrow)(values, first, last)) {
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
