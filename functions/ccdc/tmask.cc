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

// One call for two bands: where they are in the window's rows, and how far from
// the curve an observation may be. A single band is given twice.
struct TmaskPair {
  int band[2];
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
// Absolute residuals have two middle ones; from the square of their sum to the
// square of the scale.
inline constexpr double kMiddle = 4 * kNormal * kNormal;
// Below this a curve fits exactly: it has no scale.
inline constexpr double kNoScale = kMiddle * kEpsilon * kEpsilon;

// Numbers of both bands for observations 0 to n, or so many that no vector is
// part full.
inline int Padded(int n) { return (n + 3) / 4 * 8; }

inline int PaddedKeys(int n) { return (n + 7) / 8 * 16; }

// The value of `rank` (from 0) among the first `count` of a band, and the value
// of `next_rank`, which is no more than one higher.
inline void SelectRanks(const std::vector<double>& values, int band, int count,
                        int rank, int next_rank, std::vector<double>& space,
                        double& at, double& next) {
  at = next = std::numeric_limits<double>::quiet_NaN();
  space.clear();
  for (int i = 0; i < count; ++i) {
    space.push_back(values[static_cast<size_t>(2 * i + band)]);
    if (std::isnan(space.back())) return;
  }
  const auto place = space.begin() + rank;
  std::nth_element(space.begin(), place, space.end());
  at = *place;
  next = next_rank == rank ? at : *std::min_element(place + 1, space.end());
}

// Population standard deviation of the first `count` of a band.
inline double Deviation(const std::vector<double>& values, int band,
                        int count) {
  const auto value = [&values, band](int i) {
    return values[static_cast<size_t>(2 * i + band)];
  };
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += value(i);
  const double mean = sum / count;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double d = value(i) - mean;
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

// Lanes are observation times band, (4, 2): sums over observations are in four
// parts, whatever the width of a vector. A part is what fits into one.
constexpr int kPer = Pack<8>::kPer;
constexpr int kParts = Pack<8>::kVectors;
using Part = Pack<kPer>;

HWY_INLINE Part Of(const std::vector<double>& numbers, int i) {
  return Load<kPer>(numbers.data() + i);
}

// A number of each band in the lanes of that band; lane 0 is that of `lane`.
HWY_INLINE Part Repeat(const double (&of_band)[2], int lane) {
#if HWY_TARGET == HWY_SCALAR
  return Broadcast<1>(of_band[lane % 2]);
#else
  (void)lane;
  Part r;
  r.v[0] = hn::LoadDup128(Part::D(), of_band);
  return r;
#endif
}

// The sum of each band: observations 0 and 2, and 1 and 3, then both.
HWY_INLINE Two SumOfFour(const Pack<8>& a) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
#if HWY_TARGET == HWY_AVX2
  const auto pairs = hn::Add(a.v[0], a.v[1]);
#else
  const auto pairs =
      hn::Add(hn::LowerHalf(a.v[0]), hn::UpperHalf(Pack<4>::D(), a.v[0]));
#endif
  Two r;
  r.v[0] = hn::Add(hn::LowerHalf(pairs), hn::UpperHalf(Two::D(), pairs));
  return r;
#else
  double x[8];
  Store(a, x);
  return (Load<2>(x) + Load<2>(x + 4)) + (Load<2>(x + 2) + Load<2>(x + 6));
#endif
}

// The curves of both bands: (column, band).
struct alignas(16) RobustCurves {
  double b[kColumns][2];
};

// The columns and values of the window, and weights of 1.
HWY_INLINE void Gather(const Window& w, const TmaskPair& pair,
                       TmaskSpace& space) {
  const int m = w.end - w.begin;
  const int padded = Padded(m);
  double* x = space.columns.data();
  double* y = space.values.data();
  double* weights = space.weights.data();
  const auto set = [x, padded](int column, int i, double value) {
    x[column * padded + 2 * i] = value;
    x[column * padded + 2 * i + 1] = value;
  };
  for (int i = 0; i < m; ++i) {
    const double* basis = w.Basis(w.begin + i);
    const double* row = w.Values(w.begin + i, 0);
    set(0, i, basis[2]);
    set(1, i, basis[3]);
    y[2 * i] = row[pair.band[0]];
    y[2 * i + 1] = row[pair.band[1]];
    weights[2 * i] = 1;
    weights[2 * i + 1] = 1;
  }
  for (int i = 0; i < m; ++i) {
    const CosSin slow =
        pair.slow == nullptr ? CosSin{0, 0} : pair.slow[w.date[w.begin + i]];
    set(2, i, slow.cos);
    set(3, i, slow.sin);
  }
  for (int i = 2 * m; i < padded; ++i) {
    for (int c = 0; c < kX; ++c) x[c * padded + i] = 0;
    y[i] = 0;
    weights[i] = 0;
  }
}

// The system of the weighted observations. c and s are the columns of the year,
// p and q those of the slow period, w the weights.
HWY_INLINE void SumProducts(int padded, const TmaskSpace& space, Normal& n) {
  const double* x = space.columns.data();
  Pack<8> sums[20];
  for (int part = 0; part < kParts; ++part) {
    const Part zero = Broadcast<kPer>(0);
    Part s1 = zero, sc = zero, ss = zero, y1 = zero, yc = zero, ys = zero;
    Part cc = zero, cs = zero, cp = zero, cq = zero;
    Part s2 = zero, sp = zero, sq = zero;
    for (int i = part * kPer; i < padded; i += 8) {
      const Part w = Of(space.weights, i);
      const Part y = Of(space.values, i);
      const Part c = Load<kPer>(x + i);
      const Part s = Load<kPer>(x + padded + i);
      const Part p = Load<kPer>(x + 2 * padded + i);
      const Part q = Load<kPer>(x + 3 * padded + i);
      const Part wc = w * c;
      const Part ws = w * s;
      cc = MulAdd(wc, c, cc);
      cs = MulAdd(wc, s, cs);
      cp = MulAdd(wc, p, cp);
      cq = MulAdd(wc, q, cq);
      s2 = MulAdd(ws, s, s2);
      sp = MulAdd(ws, p, sp);
      sq = MulAdd(ws, q, sq);
      sc = sc + wc;
      ss = ss + ws;
      yc = MulAdd(wc, y, yc);
      ys = MulAdd(ws, y, ys);
    }
    Part pp = zero, pq = zero, qq = zero, sum_p = zero, sum_q = zero;
    Part yp = zero, yq = zero;
    for (int i = part * kPer; i < padded; i += 8) {
      const Part w = Of(space.weights, i);
      const Part y = Of(space.values, i);
      const Part p = Load<kPer>(x + 2 * padded + i);
      const Part q = Load<kPer>(x + 3 * padded + i);
      const Part wp = w * p;
      const Part wq = w * q;
      pp = MulAdd(wp, p, pp);
      pq = MulAdd(wp, q, pq);
      qq = MulAdd(wq, q, qq);
      sum_p = sum_p + wp;
      sum_q = sum_q + wq;
      yp = MulAdd(wp, y, yp);
      yq = MulAdd(wq, y, yq);
      s1 = s1 + w;
      y1 = MulAdd(w, y, y1);
    }
    const Part all[20] = {s1, sc, ss, sum_p, sum_q, cc, cs, cp, cq, s2,
                          sp, sq, pp, pq,    qq,    y1, yc, ys, yp, yq};
    INTERNODE_UNROLL_ALL
    for (int i = 0; i < 20; ++i) sums[i].v[part] = all[i].v[0];
  }
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    n.a[i][0] = SumOfFour(sums[i]);
    n.y[i] = SumOfFour(sums[15 + i]);
  }
  n.a[1][1] = SumOfFour(sums[5]);
  n.a[2][1] = SumOfFour(sums[6]);
  n.a[3][1] = SumOfFour(sums[7]);
  n.a[4][1] = SumOfFour(sums[8]);
  n.a[2][2] = SumOfFour(sums[9]);
  n.a[3][2] = SumOfFour(sums[10]);
  n.a[4][2] = SumOfFour(sums[11]);
  n.a[3][3] = SumOfFour(sums[12]);
  n.a[4][3] = SumOfFour(sums[13]);
  n.a[4][4] = SumOfFour(sums[14]);
}

HWY_INLINE Part Residual(const TmaskSpace& space, int padded, int i,
                         const RobustCurves& curves) {
  Part r = Of(space.values, i) - Repeat(curves.b[0], i);
  INTERNODE_UNROLL
  for (int c = 0; c < kX; ++c) {
    r = NegMulAdd(Repeat(curves.b[c + 1], i),
                  Load<kPer>(space.columns.data() + c * padded + i), r);
  }
  return r;
}

// 1 / (1 - h), h the leverages of the unweighted columns.
HWY_INLINE void FillLeverages(int padded, const Factors& f, TmaskSpace& space) {
  const Part one = Broadcast<kPer>(1);
  RobustCurves inverse;
  double l[kColumns][kColumns][2];
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    Store(f.inverse[i], inverse.b[i]);
    INTERNODE_UNROLL
    for (int j = 0; j < i; ++j) Store(f.l[i][j], l[i][j]);
  }
  for (int i = 0; i < padded; i += kPer) {
    Part z[kColumns];
    z[0] = one;
    Part h = Repeat(inverse.b[0], i);
    INTERNODE_UNROLL
    for (int c = 1; c < kColumns; ++c) {
      Part s = Load<kPer>(space.columns.data() + (c - 1) * padded + i);
      INTERNODE_UNROLL
      for (int k = 0; k < c; ++k) s = NegMulAdd(Repeat(l[c][k], i), z[k], s);
      z[c] = s;
      h = MulAdd(s * s, Repeat(inverse.b[c], i), h);
    }
    h = Min(h, Broadcast<kPer>(kLargestLeverage));
    Store(one / (one - h), space.leverages.data() + i);
  }
}

// Squared residuals, times the leverages if `scaled`, and their keys.
template <bool scaled>
HWY_INLINE void FillSquares(int m, const RobustCurves& curves,
                            TmaskSpace& space) {
  const int padded = Padded(m);
  const hn::Rebind<float, Part::D> narrow;
  for (int i = 0; i < padded; i += kPer) {
    const Part r = Residual(space, padded, i, curves);
    Part square = r * r;
    if (scaled) square = square * Of(space.leverages, i);
    Store(square, space.squares.data() + i);
    hn::StoreU(hn::DemoteTo(narrow, square.v[0]), narrow,
               space.keys.data() + i);
  }
  for (int i = 2 * m; i < padded; ++i) {
    space.squares[static_cast<size_t>(i)] = HUGE_VAL;
  }
  for (int i = 2 * m; i < PaddedKeys(m); ++i) {
    space.keys[static_cast<size_t>(i)] = HUGE_VALF;
  }
}

// The squared sum of the two middle ones of each band's absolute residuals
// without the smallest ones: kMiddle squared scales.
HWY_INLINE Two Middle(int m, TmaskSpace& space) {
  const int n = m - kSkipped;
  const int rank = kSkipped + (n - 1) / 2;
  const int next_rank = kSkipped + n / 2;
  double low[2];
  double high[2];
  int at[2];
  int next[2];
  if (m <= kMostObservations &&
      FindRanks(space.keys.data(), m, rank, next_rank, at, next)) {
    INTERNODE_UNROLL
    for (int band = 0; band < 2; ++band) {
      low[band] = space.squares[static_cast<size_t>(2 * at[band] + band)];
      high[band] = space.squares[static_cast<size_t>(2 * next[band] + band)];
    }
  } else {
    for (int band = 0; band < 2; ++band) {
      SelectRanks(space.squares, band, m, rank, next_rank, space.sorted,
                  low[band], high[band]);
    }
  }
  const Two a = Load<2>(low);
  const Two b = Load<2>(high);
  return MulAdd(Broadcast<2>(2), Sqrt(a * b), a + b);
}

// No less than what the rounding errors of the values make of it.
HWY_INLINE Two AtLeastErrors(int m, const Two& middle,
                             const TmaskSpace& space) {
  double both[2];
  Store(middle, both);
  for (int band = 0; band < 2; ++band) {
    const double error = kEpsilon * Deviation(space.values, band, m);
    both[band] = std::max(kMiddle * error * error, both[band]);
  }
  return Load<2>(both);
}

// Tukey's bisquare of the residuals over the scale.
HWY_INLINE void FillWeights(int padded, const Two& middle, TmaskSpace& space) {
  const Part one = Broadcast<kPer>(1);
  const Part zero = Broadcast<kPer>(0);
  double factor[2];
  Store(Broadcast<2>(kMiddle / (kBisquare * kBisquare)) / middle, factor);
  for (int i = 0; i < padded; i += kPer) {
    const Part u = Of(space.squares, i) * Repeat(factor, i);
    const Part v = one - u;
    Store(Select(u < one, v * v, zero), space.weights.data() + i);
  }
}

HWY_INLINE void Solve(int m, TmaskSpace& space, Factors& f,
                      Two (&b)[kColumns]) {
  Normal normal;
  SumProducts(Padded(m), space, normal);
  Factorise(normal, f);
  Substitute(f, normal, b);
}

// What Middle() cannot be below if it is to matter: no deviation is greater
// than the largest value.
HWY_INLINE Two LeastMiddle(int padded, const TmaskSpace& space) {
  Pack<8> largest = Broadcast<8>(0);
  for (int i = 0; i < padded; i += 8) {
    largest = Max(largest, Abs(Load<8>(space.values.data() + i)));
  }
  double x[8];
  Store(largest, x);
  const Two most =
      Max(Max(Load<2>(x), Load<2>(x + 2)), Max(Load<2>(x + 4), Load<2>(x + 6)));
  return Broadcast<2>(kMiddle * kEpsilon * kEpsilon) * most * most;
}

// The bands whose first curves, unweighted, do not fit exactly. Leaves the
// squared residuals of the first pass in place.
HWY_NOINLINE PackMask<2> Inexact(int m, const RobustCurves& curves,
                                 TmaskSpace& space) {
  FillSquares<false>(m, curves, space);
  const auto inexact = Broadcast<2>(kNoScale) <= Middle(m, space);
  FillSquares<true>(m, curves, space);
  return inexact;
}

// The robust curves, both bands in step: one that has settled stays as it is.
HWY_INLINE void FitRobust(int m, TmaskSpace& space, RobustCurves& curves) {
  const int padded = Padded(m);
  const Two least = LeastMiddle(padded, space);
  Factors factors;
  Two b[kColumns];
  const auto keep = [&curves, &b]() HWY_ATTR {
    INTERNODE_UNROLL
    for (int c = 0; c < kColumns; ++c) Store(b[c], curves.b[c]);
  };
  Solve(m, space, factors, b);
  keep();
  FillLeverages(padded, factors, space);
  auto active = Broadcast<2>(0) == Broadcast<2>(0);
  for (int pass = 0; pass < kPasses; ++pass) {
    FillSquares<true>(m, curves, space);
    Two middle = Middle(m, space);
    // Leverages scale by no more than this, so that there is nothing to ask
    // in all but odd windows.
    constexpr double kMostScaled = 2 / (1 - kLargestLeverage);
    if (pass == 0 && !All(Broadcast<2>(kMostScaled * kNoScale) <= middle)) {
      active = Inexact(m, curves, space);
      if (None(active)) return;
    }
    if (!All(least <= middle)) middle = AtLeastErrors(m, middle, space);
    FillWeights(padded, middle, space);
    Two next[kColumns];
    Solve(m, space, factors, next);
    // One-sided, as in the reference: only a rise keeps it going.
    const Two rise = Broadcast<2>(kRise);
    auto rose = next[0] - b[0] > rise;
    INTERNODE_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      rose = Either(rose, next[c] - b[c] > rise);
      b[c] = Select(active, next[c], b[c]);
    }
    keep();
    active = Both(active, rose);
    if (None(active)) return;
  }
}

void MarkOutliers(const Window& w, const TmaskPair& pair, TmaskSpace& space) {
  const int m = w.end - w.begin;
  const int padded = Padded(m);
  Gather(w, pair, space);
  RobustCurves curves;
  FitRobust(m, space, curves);
  Part count = Broadcast<kPer>(0);
  const Part one = Broadcast<kPer>(1);
  for (int i = 0; i < padded; i += kPer) {
    const Part r = Residual(space, padded, i, curves);
    const Part is_far =
        Select(Abs(r) > Repeat(pair.limit, i), one, Broadcast<kPer>(0));
    count = count + is_far;
    Store(is_far, space.squares.data() + i);
  }
  if (All(count == Broadcast<kPer>(0))) return;
  for (size_t i = 0; i < static_cast<size_t>(m); ++i) {
    const double far = space.squares[2 * i] + space.squares[2 * i + 1];
    space.outlier[i] |= static_cast<uint8_t>(far != 0);
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
  values.resize(n);
  squares.resize(n);
  weights.resize(n);
  keys.resize(n);
  sorted.reserve(n);
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
