#include "functions/ccdc/tmask.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/tmask.cc"
#include "hwy/foreach_target.h"

#include "functions/ccdc/lanes-inl.h"
#include "functions/ccdc/window.h"

#ifndef INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_
#define INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_
namespace internode::functions::ccdc {

// One call for two bands: lanes of the window's rows, and how far from the
// curve an observation may be. A single band is given twice.
struct TmaskPair {
  int lane[2];
  double limit[2];
};

inline constexpr double kEpsilon = 2.220446049250313e-16;
inline constexpr double kBisquare = 4.685;
inline constexpr int kPasses = 4;
inline constexpr double kLargestLeverage = 0.9999;
inline constexpr double kRise = 1e-8;
// The smallest residuals that the scale leaves out, and its factor to the
// standard deviation of a normal distribution.
inline constexpr int kSkipped = 4;
inline constexpr double kNormal = 0.6745;

}  // namespace internode::functions::ccdc
#endif  // INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

constexpr int kX = 4;        // columns without the constant
constexpr int kColumns = 5;  // the constant is column 0
constexpr int kRow = 16;     // numbers of an observation in `products`
using Two = Pack<2>;
using Oct = Pack<8>;

int Padded(int n) { return (n + 7) / 8 * 8; }

// A symmetric system of both bands: lower triangle and right side.
struct Normal {
  double a[kColumns][kColumns][2];
  double y[kColumns][2];
};

// Its factors L D L'; directions without information have a zero in
// `inverse`, and coefficient 0.
struct Factors {
  Two l[kColumns][kColumns];
  Two inverse[kColumns];
};

HWY_INLINE void Factorise(const Normal& n, Factors& f) {
  const Two zero = Broadcast<2>(0);
  const Two one = Broadcast<2>(1);
  Two scaled[kColumns];  // L D of the row
  Two d[kColumns];
  for (int i = 0; i < kColumns; ++i) {
    for (int j = 0; j < i; ++j) {
      Two s = Load<2>(n.a[i][j]);
      for (int m = 0; m < j; ++m) s = NegMulAdd(scaled[m], f.l[j][m], s);
      scaled[j] = s;
      f.l[i][j] = s * f.inverse[j];
    }
    const Two whole = Load<2>(n.a[i][i]);
    Two s = whole;
    for (int m = 0; m < i; ++m) s = NegMulAdd(scaled[m], f.l[i][m], s);
    const auto good = s > Broadcast<2>(1e-13) * whole;
    d[i] = Select(good, s, one);
    f.inverse[i] = Select(good, one / d[i], zero);
  }
}

HWY_INLINE void Substitute(const Factors& f, const Normal& n,
                           Two (&b)[kColumns]) {
  for (int i = 0; i < kColumns; ++i) {
    Two s = Load<2>(n.y[i]);
    for (int m = 0; m < i; ++m) s = NegMulAdd(f.l[i][m], b[m], s);
    b[i] = s;
  }
  const Two zero = Broadcast<2>(0);
  for (int i = kColumns - 1; i >= 0; --i) {
    Two s = b[i] * f.inverse[i];
    for (int m = i + 1; m < kColumns; ++m) s = NegMulAdd(f.l[m][i], b[m], s);
    b[i] = Select(f.inverse[i] == zero, zero, s);
  }
}

// The columns, and the products of each observation, x = (c, s, C, S):
// cc cs cC cS | ss sC sS SS | c s C S | CC CS 1 0
HWY_INLINE void FillProducts(const Window& w, TmaskSpace& space) {
  const int m = w.end - w.begin;
  const int padded = Padded(m);
  double* columns = space.columns.data();
  for (int i = 0; i < m; ++i) {
    const double* basis = w.Basis(w.begin + i);
    double* row = space.products.data() + i * kRow;
    const double c = basis[2];
    const double s = basis[3];
    const double slow_c = space.slow[static_cast<size_t>(i)].cos;
    const double slow_s = space.slow[static_cast<size_t>(i)].sin;
    double* x = row + 8;
    x[0] = columns[i] = c;
    x[1] = columns[padded + i] = s;
    x[2] = columns[2 * padded + i] = slow_c;
    x[3] = columns[3 * padded + i] = slow_s;
    row[0] = c * c;
    row[1] = c * s;
    row[2] = c * slow_c;
    row[3] = c * slow_s;
    row[4] = s * s;
    row[5] = s * slow_c;
    row[6] = s * slow_s;
    row[7] = slow_s * slow_s;
    row[12] = slow_c * slow_c;
    row[13] = slow_c * slow_s;
    row[14] = 1;
    row[15] = 0;
  }
  for (int c = 0; c < kX; ++c) {
    for (int i = m; i < padded; ++i) columns[c * padded + i] = 0;
  }
}

// y and y x of each observation, and weights of 1.
HWY_INLINE void FillBand(const Window& w, int lane, const TmaskSpace& space,
                         TmaskBand& band) {
  const int m = w.end - w.begin;
  for (int i = 0; i < m; ++i) {
    const double y = *w.Values(w.begin + i, lane);
    const double* x = space.products.data() + i * kRow + 8;
    Store(Broadcast<4>(y) * Load<4>(x), band.products.data() + i * kX);
    band.values[static_cast<size_t>(i)] = y;
    band.weights[static_cast<size_t>(i)] = 1;
  }
  for (int i = m; i < Padded(m); ++i) {
    band.values[static_cast<size_t>(i)] = 0;
    band.weights[static_cast<size_t>(i)] = 0;
  }
}

// Sums the weighted products into side `side` of the system.
HWY_INLINE void SumProducts(int m, const TmaskSpace& space,
                            const TmaskBand& band, int side, Normal& n) {
  Pack<4> sums[5];
  for (auto& sum : sums) sum = Broadcast<4>(0);
  const double* row = space.products.data();
  const double* band_row = band.products.data();
  const double* weights = band.weights.data();
  for (int i = 0; i < m; ++i, row += kRow, band_row += kX) {
    const Pack<4> w = Broadcast<4>(weights[i]);
    for (int q = 0; q < 4; ++q)
      sums[q] = MulAdd(w, Load<4>(row + 4 * q), sums[q]);
    sums[4] = MulAdd(w, Load<4>(band_row), sums[4]);
  }
  Oct weighted = Broadcast<8>(0);
  for (int i = 0; i < m; i += 8) {
    weighted =
        MulAdd(Load<8>(weights + i), Load<8>(band.values.data() + i), weighted);
  }
  double s[5][4];
  for (int q = 0; q < 5; ++q) Store(sums[q], s[q]);
  n.a[0][0][side] = s[3][2];
  n.y[0][side] = Total(weighted);
  for (int c = 0; c < kX; ++c) {
    n.a[c + 1][0][side] = s[2][c];
    n.a[c + 1][1][side] = s[0][c];
    n.y[c + 1][side] = s[4][c];
  }
  n.a[2][2][side] = s[1][0];
  n.a[3][2][side] = s[1][1];
  n.a[4][2][side] = s[1][2];
  n.a[3][3][side] = s[3][0];
  n.a[4][3][side] = s[3][1];
  n.a[4][4][side] = s[1][3];
}

HWY_INLINE Oct Predicted(const TmaskSpace& space, int padded, int i,
                         const double (&b)[kColumns]) {
  Oct sum = Broadcast<8>(b[0]);
  for (int c = 0; c < kX; ++c) {
    sum = MulAdd(Broadcast<8>(b[c + 1]),
                 Load<8>(space.columns.data() + c * padded + i), sum);
  }
  return sum;
}

// 1/sqrt(1 - h), h the leverages of the unweighted columns.
HWY_INLINE void FillLeverages(int m, const Factors& f, TmaskSpace& space) {
  const int padded = Padded(m);
  double l[kColumns][kColumns];
  double inverse[kColumns];
  for (int i = 0; i < kColumns; ++i) {
    double both[2];
    Store(f.inverse[i], both);
    inverse[i] = both[0];
    for (int j = 0; j < i; ++j) {
      Store(f.l[i][j], both);
      l[i][j] = both[0];
    }
  }
  const Oct one = Broadcast<8>(1);
  for (int i = 0; i < padded; i += 8) {
    Oct z[kColumns];
    z[0] = one;
    Oct h = Broadcast<8>(inverse[0]);
    for (int c = 1; c < kColumns; ++c) {
      Oct s = Load<8>(space.columns.data() + (c - 1) * padded + i);
      for (int k = 0; k < c; ++k) s = NegMulAdd(Broadcast<8>(l[c][k]), z[k], s);
      z[c] = s;
      h = h + s * s * Broadcast<8>(inverse[c]);
    }
    h = Min(h, Broadcast<8>(kLargestLeverage));
    Store(one / Sqrt(one - h), space.leverages.data() + i);
  }
}

// Population standard deviation.
HWY_INLINE double Deviation(const TmaskBand& band, int m) {
  double sum = 0;
  for (int i = 0; i < m; ++i) sum += band.values[static_cast<size_t>(i)];
  const double mean = sum / m;
  double squares = 0;
  for (int i = 0; i < m; ++i) {
    const double d = band.values[static_cast<size_t>(i)] - mean;
    squares += d * d;
  }
  return std::sqrt(squares / m);
}

HWY_INLINE int CountBelow(const double* values, int padded, double limit) {
  const Oct pivot = Broadcast<8>(limit);
  const Oct one = Broadcast<8>(1);
  const Oct zero = Broadcast<8>(0);
  Oct count = zero;
  for (int i = 0; i < padded; i += 8) {
    count = count + Select(Load<8>(values + i) < pivot, one, zero);
  }
  return static_cast<int>(Total(count));
}

// The smallest value above `limit`, and how many are not above.
HWY_INLINE double NextAbove(const double* values, int padded, double limit,
                            int& not_above) {
  const Oct pivot = Broadcast<8>(limit);
  const Oct one = Broadcast<8>(1);
  const Oct zero = Broadcast<8>(0);
  const Oct infinite = Broadcast<8>(HUGE_VAL);
  Oct count = zero;
  Oct next = infinite;
  for (int i = 0; i < padded; i += 8) {
    const Oct v = Load<8>(values + i);
    const auto above = pivot < v;
    count = count + Select(above, zero, one);
    next = Min(next, Select(above, v, infinite));
  }
  not_above = static_cast<int>(Total(count));
  return Smallest(next);
}

// A number that at most `rank` values are below, but not many less; `guess` is
// where to look first.
HWY_INLINE double LowerBound(const double* values, int padded, int rank,
                             double guess) {
  constexpr int kNear = 3;
  double low = 0;
  double high = HUGE_VAL;
  for (int i = 0; i < 8 && guess > 0; ++i) {
    const int below = CountBelow(values, padded, guess);
    if (below > rank) {
      high = guess;
      guess = low > 0 ? (low + high) / 2 : 0.8 * guess;
    } else {
      low = guess;
      if (rank - below <= kNear) break;
      guess = high < HUGE_VAL ? (low + high) / 2 : 1.25 * guess;
    }
  }
  return low;
}

// Scale of the residuals from the median of their absolute values without the
// smallest ones; they are in band.residuals, padded with infinities. `guess`:
// about what it will be; any number is right.
HWY_INLINE double Scale(const TmaskBand& band, int m, double guess) {
  const double* values = band.residuals.data();
  const int padded = Padded(m);
  const int n = m - kSkipped;
  const int lower = kSkipped + (n - 1) / 2;
  const double start = LowerBound(values, padded, lower, guess * kNormal);
  // Up from there, value by value.
  int not_above;
  double value = NextAbove(values, padded, start > 0 ? start * (1 - 1e-12) : -1,
                           not_above);
  double next = NextAbove(values, padded, value, not_above);
  while (not_above <= lower && next < HUGE_VAL) {
    value = next;
    next = NextAbove(values, padded, value, not_above);
  }
  if (n % 2 == 1 || not_above > lower + 1) next = value;
  return (value + next) / 2 / kNormal;
}

// Absolute residuals, times the leverages if `scaled`.
HWY_INLINE void FillResiduals(int m, const double (&b)[kColumns], bool scaled,
                              TmaskSpace& space, TmaskBand& band) {
  const int padded = Padded(m);
  for (int i = 0; i < padded; i += 8) {
    Oct r =
        Abs(Load<8>(band.values.data() + i) - Predicted(space, padded, i, b));
    if (scaled) r = r * Load<8>(space.leverages.data() + i);
    Store(r, band.residuals.data() + i);
  }
  for (int i = m; i < padded; ++i) {
    band.residuals[static_cast<size_t>(i)] = HUGE_VAL;
  }
}

// Tukey's bisquare of the residuals over `scale`.
HWY_INLINE void FillWeights(int m, double scale, TmaskBand& band) {
  const Oct one = Broadcast<8>(1);
  const Oct zero = Broadcast<8>(0);
  const Oct factor = Broadcast<8>(1 / (scale * kBisquare));
  for (int i = 0; i < Padded(m); i += 8) {
    const Oct u = Load<8>(band.residuals.data() + i) * factor;
    const Oct v = one - u * u;
    Store(Select(u < one, v * v, zero), band.weights.data() + i);
  }
}

HWY_INLINE void Coefficients(const Two (&b)[kColumns], int side,
                             double (&out)[kColumns]) {
  for (int c = 0; c < kColumns; ++c) {
    double both[2];
    Store(b[c], both);
    out[c] = both[side];
  }
}

// Both bands' robust curves.
HWY_INLINE void FitRobust(int m, TmaskSpace& space,
                          double (&curve)[2][kColumns]) {
  Normal normal;
  Factors factors;
  Two b[kColumns];
  for (int side = 0; side < 2; ++side) {
    SumProducts(m, space, space.bands[side], side, normal);
  }
  Factorise(normal, factors);
  Substitute(factors, normal, b);
  FillLeverages(m, factors, space);
  bool active[2];
  double floor[2];
  double scale[2];
  for (int side = 0; side < 2; ++side) {
    TmaskBand& band = space.bands[side];
    Coefficients(b, side, curve[side]);
    FillResiduals(m, curve[side], false, space, band);
    const double deviation = Deviation(band, m);
    scale[side] = Scale(band, m, deviation / 2);
    active[side] = scale[side] >= kEpsilon;
    floor[side] = kEpsilon * deviation;
  }
  for (int pass = 0; pass < kPasses && (active[0] || active[1]); ++pass) {
    for (int side = 0; side < 2; ++side) {
      if (!active[side]) continue;
      TmaskBand& band = space.bands[side];
      FillResiduals(m, curve[side], true, space, band);
      scale[side] = std::max(floor[side], Scale(band, m, scale[side]));
      FillWeights(m, scale[side], band);
      SumProducts(m, space, band, side, normal);
    }
    Factorise(normal, factors);
    Substitute(factors, normal, b);
    for (int side = 0; side < 2; ++side) {
      if (!active[side]) continue;
      double next[kColumns];
      Coefficients(b, side, next);
      // One-sided, as in the reference: only a rise keeps it going.
      bool rose = false;
      for (int c = 0; c < kColumns; ++c) {
        rose |= next[c] - curve[side][c] > kRise;
        curve[side][c] = next[c];
      }
      active[side] = rose;
    }
  }
}

void MarkOutliers(const Window& w, const TmaskPair& pair, TmaskSpace& space) {
  const int m = w.end - w.begin;
  FillProducts(w, space);
  for (int side = 0; side < 2; ++side) {
    FillBand(w, pair.lane[side], space, space.bands[side]);
  }
  double curve[2][kColumns];
  FitRobust(m, space, curve);
  for (int side = 0; side < 2; ++side) {
    TmaskBand& band = space.bands[side];
    FillResiduals(m, curve[side], false, space, band);
    for (int i = 0; i < m; ++i) {
      const bool outlier =
          band.residuals[static_cast<size_t>(i)] > pair.limit[side];
      space.outlier[static_cast<size_t>(i)] |= static_cast<uint8_t>(outlier);
    }
  }
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(MarkOutliers);

void TmaskSpace::Resize(int observations) {
  const auto n = static_cast<size_t>((observations + 7) / 8 * 8);
  outlier.assign(static_cast<size_t>(observations), 0);
  if (slow.size() >= n) return;
  slow.resize(n);
  columns.resize(4 * n);
  products.resize(16 * n);
  leverages.resize(n);
  for (TmaskBand& band : bands) {
    band.values.resize(n);
    band.products.resize(4 * n);
    band.residuals.resize(n);
    band.weights.resize(n);
  }
}

int FindOutliers(const Model& model, const DateTable& dates,
                 const Series& series, const Row* variogram, int begin, int end,
                 TmaskSpace& space) {
  const Parameters& p = model.parameters();
  space.Resize(end - begin);
  const double span = series.day(end - 1) - series.day(begin);
  const int years = static_cast<int>(std::ceil(span / p.year_length));
  for (int i = begin; i < end; ++i) {
    // In one year both terms are the same: only one is fitted.
    space.slow[static_cast<size_t>(i - begin)] =
        years <= 1 ? CosSin{0, 0} : dates.Slow(years, series.date(i));
  }
  const auto limit = [&](int band) {
    return variogram[band / kLanes].v[band % kLanes] * p.tmask_factor;
  };
  for (size_t t = 0; t < p.tmask_bands.size(); t += 2) {
    const int first = p.tmask_bands[t];
    const int second =
        t + 1 < p.tmask_bands.size() ? p.tmask_bands[t + 1] : first;
    const TmaskPair pair{{first, second}, {limit(first), limit(second)}};
    HWY_DYNAMIC_DISPATCH(MarkOutliers)
    (WindowOf(series, dates, begin, end), pair, space);
  }
  return static_cast<int>(
      std::count(space.outlier.begin(), space.outlier.end(), uint8_t{1}));
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
