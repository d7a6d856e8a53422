#include "functions/ccdc/tmask.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/tmask.cc"
#include "hwy/foreach_target.h"

#include "functions/ccdc/lanes-inl.h"
#include "functions/ccdc/middle-inl.h"
#include "functions/ccdc/normal-inl.h"
#include "functions/ccdc/window.h"

#ifndef INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_
#define INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_
namespace internode::functions::ccdc {

// One call for two bands: lanes of the window's rows, and how far from the
// curve an observation may be. A single band is given twice.
struct TmaskPair {
  int lane[2];
  double limit[2];
  const CosSin* slow;  // of each date, or null: no slow term
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

inline int Padded(int n) { return (n + 3) / 4 * 4; }

inline int PaddedKeys(int n) { return (n + 7) / 8 * 8; }

// The value of `rank` (from 0) among the first `count`, and the next.
inline void SelectRank(const std::vector<double>& values, int count, int rank,
                       std::vector<double>& space, double& at, double& next) {
  at = next = std::numeric_limits<double>::quiet_NaN();
  space.assign(values.begin(), values.begin() + count);
  if (std::any_of(space.begin(), space.end(),
                  [](double x) { return std::isnan(x); })) {
    return;
  }
  const auto place = space.begin() + rank;
  std::nth_element(space.begin(), place, space.end());
  at = *place;
  next = *std::min_element(place + 1, space.end());
}

// Population standard deviation of the first `count`.
inline double Deviation(const std::vector<double>& values, int count) {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += values[static_cast<size_t>(i)];
  const double mean = sum / count;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double d = values[static_cast<size_t>(i)] - mean;
    squares += d * d;
  }
  return std::sqrt(squares / count);
}

}  // namespace internode::functions::ccdc
#endif  // INTERNODE_FUNCTIONS_CCDC_TMASK_ONCE_

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

using Quad = Pack<4>;

HWY_INLINE Quad Of(const std::vector<double>& column, int i) {
  return Load<4>(column.data() + i);
}

// The columns of the window, and both bands with weights of 1.
HWY_INLINE void Gather(const Window& w, const TmaskPair& pair,
                       TmaskSpace& space) {
  const int m = w.end - w.begin;
  const int padded = Padded(m);
  double* x = space.columns.data();
  double* y0 = space.bands[0].values.data();
  double* y1 = space.bands[1].values.data();
  for (int i = 0; i < m; ++i) {
    const double* basis = w.Basis(w.begin + i);
    const double* row = w.Values(w.begin + i, 0);
    x[i] = basis[2];
    x[padded + i] = basis[3];
    y0[i] = row[pair.lane[0]];
    y1[i] = row[pair.lane[1]];
  }
  for (int i = 0; i < m; ++i) {
    const CosSin slow =
        pair.slow == nullptr ? CosSin{0, 0} : pair.slow[w.date[w.begin + i]];
    x[2 * padded + i] = slow.cos;
    x[3 * padded + i] = slow.sin;
  }
  for (int i = m; i < padded; ++i) {
    for (int c = 0; c < kX; ++c) x[c * padded + i] = 0;
    y0[i] = 0;
    y1[i] = 0;
  }
  for (TmaskBand& band : space.bands) {
    Quad largest = Broadcast<4>(0);
    for (int i = 0; i < padded; i += 4) {
      largest = Max(largest, Abs(Of(band.values, i)));
      Store(Broadcast<4>(1), band.weights.data() + i);
    }
    for (int i = m; i < padded; ++i) band.weights[static_cast<size_t>(i)] = 0;
    double each[4];
    Store(largest, each);
    band.largest = HWY_MAX(HWY_MAX(each[0], each[1]),  //
                           HWY_MAX(each[2], each[3]));
  }
}

// The system of the weighted observations.
HWY_INLINE void SumProducts(int padded, const TmaskSpace& space,
                            const TmaskBand& band, Normal& n) {
  const Quad zero = Broadcast<4>(0);
  const double* x = space.columns.data();
  Quad s1 = zero, sc = zero, ss = zero, y1 = zero, yc = zero, ys = zero;
  Quad cc = zero, cs = zero, cC = zero, cS = zero;
  Quad s2 = zero, sC = zero, sS = zero;
  for (int i = 0; i < padded; i += 4) {
    const Quad w = Of(band.weights, i);
    const Quad y = Of(band.values, i);
    const Quad c = Load<4>(x + i);
    const Quad s = Load<4>(x + padded + i);
    const Quad slow_c = Load<4>(x + 2 * padded + i);
    const Quad slow_s = Load<4>(x + 3 * padded + i);
    const Quad wc = w * c;
    const Quad ws = w * s;
    cc = MulAdd(wc, c, cc);
    cs = MulAdd(wc, s, cs);
    cC = MulAdd(wc, slow_c, cC);
    cS = MulAdd(wc, slow_s, cS);
    s2 = MulAdd(ws, s, s2);
    sC = MulAdd(ws, slow_c, sC);
    sS = MulAdd(ws, slow_s, sS);
    sc = sc + wc;
    ss = ss + ws;
    yc = MulAdd(wc, y, yc);
    ys = MulAdd(ws, y, ys);
  }
  Quad CC = zero, CS = zero, SS = zero, sumC = zero, sumS = zero;
  Quad yC = zero, yS = zero;
  for (int i = 0; i < padded; i += 4) {
    const Quad w = Of(band.weights, i);
    const Quad y = Of(band.values, i);
    const Quad slow_c = Load<4>(x + 2 * padded + i);
    const Quad slow_s = Load<4>(x + 3 * padded + i);
    const Quad wC = w * slow_c;
    const Quad wS = w * slow_s;
    CC = MulAdd(wC, slow_c, CC);
    CS = MulAdd(wC, slow_s, CS);
    SS = MulAdd(wS, slow_s, SS);
    sumC = sumC + wC;
    sumS = sumS + wS;
    yC = MulAdd(wC, y, yC);
    yS = MulAdd(wS, y, yS);
    s1 = s1 + w;
    y1 = MulAdd(w, y, y1);
  }
  double t[20];
  Totals(s1, sc, ss, sumC, t);
  Totals(sumS, cc, cs, cC, t + 4);
  Totals(cS, s2, sC, sS, t + 8);
  Totals(CC, CS, SS, y1, t + 12);
  Totals(yc, ys, yC, yS, t + 16);
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) n.a[i][0] = t[i];
  n.a[1][1] = t[5];
  n.a[2][1] = t[6];
  n.a[3][1] = t[7];
  n.a[4][1] = t[8];
  n.a[2][2] = t[9];
  n.a[3][2] = t[10];
  n.a[4][2] = t[11];
  n.a[3][3] = t[12];
  n.a[4][3] = t[13];
  n.a[4][4] = t[14];
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) n.y[i] = t[15 + i];
}

HWY_INLINE Quad Residual(const TmaskSpace& space, const TmaskBand& band,
                         int padded, int i, const double (&b)[kColumns]) {
  Quad r = Of(band.values, i) - Broadcast<4>(b[0]);
  INTERNODE_UNROLL
  for (int c = 0; c < kX; ++c) {
    r = NegMulAdd(Broadcast<4>(b[c + 1]),
                  Load<4>(space.columns.data() + c * padded + i), r);
  }
  return r;
}

// 1 / (1 - h), h the leverages of the unweighted columns.
HWY_INLINE void FillLeverages(int padded, const Factors& f, TmaskSpace& space) {
  const Quad one = Broadcast<4>(1);
  for (int i = 0; i < padded; i += 4) {
    Quad z[kColumns];
    z[0] = one;
    Quad h = Broadcast<4>(f.inverse[0]);
    INTERNODE_UNROLL
    for (int c = 1; c < kColumns; ++c) {
      Quad s = Load<4>(space.columns.data() + (c - 1) * padded + i);
      INTERNODE_UNROLL
      for (int k = 0; k < c; ++k) {
        s = NegMulAdd(Broadcast<4>(f.l[c][k]), z[k], s);
      }
      z[c] = s;
      h = MulAdd(s * s, Broadcast<4>(f.inverse[c]), h);
    }
    h = Min(h, Broadcast<4>(kLargestLeverage));
    Store(one / (one - h), space.leverages.data() + i);
  }
}

// Squared residuals, times the leverages if `scaled`, and their keys.
template <bool scaled>
HWY_INLINE void FillSquares(int m, const double (&b)[kColumns],
                            const TmaskSpace& space, TmaskBand& band) {
  const int padded = Padded(m);
  for (int i = 0; i < padded; i += 4) {
    const Quad r = Residual(space, band, padded, i, b);
    Quad square = r * r;
    if (scaled) square = square * Of(space.leverages, i);
    Store(square, band.squares.data() + i);
    INTERNODE_PACK_FOR(4, v) {
      const hn::Rebind<float, Quad::D> half;
      hn::StoreU(hn::DemoteTo(half, square.v[v]), half,
                 band.keys.data() + i + v * Quad::kPer);
    }
  }
  for (int i = m; i < padded; ++i) {
    band.squares[static_cast<size_t>(i)] = HUGE_VAL;
  }
  for (int i = m; i < PaddedKeys(m); ++i) {
    band.keys[static_cast<size_t>(i)] = HUGE_VALF;
  }
}

// Scale of the residuals, from the median of their absolute values without the
// smallest ones.
HWY_INLINE double Scale(int m, const TmaskBand& band, TmaskSpace& space) {
  const int n = m - kSkipped;
  const int rank = kSkipped + (n - 1) / 2;
  double low;
  double high;
  int at;
  int next;
  if (m <= kMostKeys && FindRank(band.keys.data(), m, rank, at, next)) {
    low = band.squares[static_cast<size_t>(at)];
    high = band.squares[static_cast<size_t>(next)];
  } else {
    SelectRank(band.squares, m, rank, space.sorted, low, high);
  }
  if (n % 2 == 1) high = low;
  return (std::sqrt(low) + std::sqrt(high)) / 2 / kNormal;
}

// Tukey's bisquare of the residuals over `scale`.
HWY_INLINE void FillWeights(int padded, double scale, TmaskBand& band) {
  const Quad one = Broadcast<4>(1);
  const Quad zero = Broadcast<4>(0);
  const double factor = 1 / (scale * kBisquare);
  const Quad squared = Broadcast<4>(factor * factor);
  for (int i = 0; i < padded; i += 4) {
    const Quad u = Of(band.squares, i) * squared;
    const Quad v = one - u;
    Store(Select(u < one, v * v, zero), band.weights.data() + i);
  }
}

// The robust curve of one band.
struct RobustFit {
  double curve[kColumns];
  bool active = true;
};

// The first curve and its scale, unweighted.
HWY_INLINE void Begin(int m, TmaskSpace& space, int side, RobustFit& fit) {
  TmaskBand& band = space.bands[side];
  Normal normal;
  Factors factors;
  SumProducts(Padded(m), space, band, normal);
  Factorise(normal, factors);
  Substitute(factors, normal, fit.curve);
  if (side == 0) FillLeverages(Padded(m), factors, space);
}

// One pass of reweighting.
HWY_INLINE void Reweight(int m, TmaskSpace& space, TmaskBand& band,
                         RobustFit& fit) {
  FillSquares<true>(m, fit.curve, space, band);
  double scale = Scale(m, band, space);
  // No deviation is greater than the largest value.
  if (!(scale >= kEpsilon * band.largest)) {
    scale = std::max(kEpsilon * Deviation(band.values, m), scale);
  }
  FillWeights(Padded(m), scale, band);
  Normal normal;
  Factors factors;
  double next[kColumns];
  SumProducts(Padded(m), space, band, normal);
  Factorise(normal, factors);
  Substitute(factors, normal, next);
  // One-sided, as in the reference: only a rise keeps it going.
  bool rose = false;
  for (int c = 0; c < kColumns; ++c) {
    rose |= next[c] - fit.curve[c] > kRise;
    fit.curve[c] = next[c];
  }
  fit.active = rose;
}

// Both bands in turn: while one waits for its small system to be solved, the
// other keeps the vector units busy.
HWY_INLINE void FitRobust(int m, TmaskSpace& space, RobustFit (&fits)[2]) {
  for (int side = 0; side < 2; ++side) Begin(m, space, side, fits[side]);
  for (int side = 0; side < 2; ++side) {
    TmaskBand& band = space.bands[side];
    FillSquares<false>(m, fits[side].curve, space, band);
    fits[side].active = Scale(m, band, space) >= kEpsilon;
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    for (int side = 0; side < 2; ++side) {
      if (fits[side].active) Reweight(m, space, space.bands[side], fits[side]);
    }
  }
}

void MarkOutliers(const Window& w, const TmaskPair& pair, TmaskSpace& space) {
  const int m = w.end - w.begin;
  const int padded = Padded(m);
  Gather(w, pair, space);
  RobustFit fits[2];
  FitRobust(m, space, fits);
  Quad count = Broadcast<4>(0);
  const Quad one = Broadcast<4>(1);
  for (int i = 0; i < padded; i += 4) {
    const auto far = [&](int side) HWY_ATTR {
      const Quad r =
          Residual(space, space.bands[side], padded, i, fits[side].curve);
      return Abs(r) > Broadcast<4>(pair.limit[side]);
    };
    const Quad is_far = Select(Either(far(0), far(1)), one, Broadcast<4>(0));
    count = count + is_far;
    Store(is_far, space.far.data() + i);
  }
  double each[4];
  Store(count, each);
  if (each[0] + each[1] + each[2] + each[3] == 0) return;
  for (size_t i = 0; i < static_cast<size_t>(m); ++i) {
    space.outlier[i] |= static_cast<uint8_t>(space.far[i] != 0);
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
  const auto n = static_cast<size_t>(PaddedKeys(observations));
  outlier.assign(static_cast<size_t>(observations), 0);
  if (leverages.size() >= n) return;
  columns.resize(4 * n);
  leverages.resize(n);
  sorted.reserve(n);
  far.resize(n);
  for (TmaskBand& band : bands) {
    band.values.resize(n);
    band.squares.resize(n);
    band.keys.resize(n);
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
  // In one year both terms are the same: only one is fitted.
  const CosSin* slow = years <= 1 ? nullptr : dates.SlowTable(years);
  if (years > 1 && slow == nullptr) {
    space.slow.resize(static_cast<size_t>(dates.size()));
    for (int i = begin; i < end; ++i) {
      const int32_t date = series.date(i);
      space.slow[static_cast<size_t>(date)] = dates.Slow(years, date);
    }
    slow = space.slow.data();
  }
  const auto limit = [&](int band) {
    return variogram[band / kLanes].v[band % kLanes] * p.tmask_factor;
  };
  for (size_t t = 0; t < p.tmask_bands.size(); t += 2) {
    const int first = p.tmask_bands[t];
    const int second =
        t + 1 < p.tmask_bands.size() ? p.tmask_bands[t + 1] : first;
    const TmaskPair pair{{first, second}, {limit(first), limit(second)}, slow};
    HWY_DYNAMIC_DISPATCH(MarkOutliers)
    (WindowOf(series, dates, begin, end), pair, space);
  }
  return static_cast<int>(
      std::count(space.outlier.begin(), space.outlier.end(), uint8_t{1}));
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
