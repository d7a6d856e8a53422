#include "functions/ccdc/lasso.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/lasso.cc"
#include "hwy/foreach_target.h"

#include "functions/ccdc/gram.h"
#include "functions/ccdc/lanes-inl.h"
#include "functions/ccdc/long_descent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

using Bands = Pack<kLanes>;

// The centred problem of eight bands.
template <int K>
struct Problem {
  Bands xy[K];  // X'y
  Bands yy;     // y'y
  double count;
};

template <int K>
HWY_INLINE Problem<K> Centre(const GramMatrix& gram, const Row* products,
                             const Row& squares) {
  Problem<K> p;
  const Bands sum = Load<kLanes>(products[0].v);
  for (int j = 0; j < K; ++j) {
    p.xy[j] =
        Load<kLanes>(products[j + 1].v) - Broadcast<kLanes>(gram.mean[j]) * sum;
  }
  const Bands n = Broadcast<kLanes>(gram.count);
  p.yy = Load<kLanes>(squares.v) - sum * sum / n;
  p.yy = Max(p.yy, Broadcast<kLanes>(0));
  p.count = gram.count;
  return p;
}

// As many bands as fit into one vector.
using Part = Pack<Bands::kPer>;

// Whether the duality gap is small enough to stop, for one vector of bands.
template <int K>
HWY_INLINE PackMask<Bands::kPer> GapIsClosed(const GramMatrix& gram,
                                             const LassoOptions& options,
                                             const Problem<K>& p,
                                             const Bands (&all)[K], int part) {
  const Part zero = Broadcast<Bands::kPer>(0);
  Part w[K];
  for (int j = 0; j < K; ++j) w[j].v[0] = all[j].v[part];
  const auto xy = [&p, part](int j) HWY_ATTR {
    Part x;
    x.v[0] = p.xy[j].v[part];
    return x;
  };
  Part yy;
  yy.v[0] = p.yy.v[part];
  Part steepest = zero;
  Part residual_y = yy;
  Part residual_fit = zero;
  Part norm = zero;
  for (int j = 0; j < K; ++j) {
    Part gradient = xy(j);
    for (int k = 0; k < K; ++k) {
      gradient =
          NegMulAdd(Broadcast<Bands::kPer>(gram.product[j][k]), w[k], gradient);
    }
    steepest = Max(steepest, Abs(gradient));
    residual_y = NegMulAdd(w[j], xy(j), residual_y);
    residual_fit = MulAdd(w[j], gradient, residual_fit);
    norm = norm + Abs(w[j]);
  }
  const Part squared = residual_y - residual_fit;
  const Part lambda = Broadcast<Bands::kPer>(options.lambda * p.count);
  // The dual point is the residual times lambda / longest. The gap is
  //   (1 + (lambda / longest)^2) squared / 2 + lambda norm -
  //   lambda / longest residual_y,
  // compared without a division: times 2 longest^2.
  const Part longest =
      Max(Max(steepest, lambda), Broadcast<Bands::kPer>(1e-100));
  const Part two = Broadcast<Bands::kPer>(2);
  const Part twice = two * longest;
  const Part scale = twice * longest;
  const Part allowed = Broadcast<Bands::kPer>(options.tolerance) * yy;
  const Part quadratic = MulAdd(longest, longest, lambda * lambda) * squared;
  const Part linear = scale * (lambda * norm - allowed);
  return quadratic + linear < twice * lambda * residual_y;
}

// One sweep of one vector of bands: w_j <- S(x_j'(y - sum over the others) /
// q_j), S the soft threshold t = lambda / q_j. The coefficient changed last
// enters last, so that the chain of dependent operations is short; for the same
// reason S(z) is put together from max(z - t, 0) and min(z + t, 0), one of
// which is zero.
template <int K>
HWY_INLINE void Sweep(const GramMatrix& gram, const Bands (&start)[K], int part,
                      Bands (&w)[K], Part& largest, Part& change) {
  const Part zero = Broadcast<Bands::kPer>(0);
  Part x[K];
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) x[j].v[0] = w[j].v[part];
  Part most = zero;
  Part moved = zero;
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) {
    const auto scaled = [&gram, j](int k) HWY_ATTR {
      return Broadcast<Bands::kPer>(gram.scaled[j][k]);
    };
    Part z;
    z.v[0] = start[j].v[part];
    INTERNODE_UNROLL
    for (int i = 1; i < K - 1; ++i) {
      const int k = (j + i) % K;
      z = NegMulAdd(scaled(k), x[k], z);
    }
    const int last = (j + K - 1) % K;
    const Part threshold = Broadcast<Bands::kPer>(gram.threshold[j]);
    const Part above = NegMulAdd(scaled(last), x[last], z - threshold);
    const Part below = NegMulAdd(scaled(last), x[last], z + threshold);
    const Part x_new = EitherBits(Max(above, zero), Min(below, zero));
    moved = Max(moved, Abs(x_new - x[j]));
    most = Max(most, Abs(x_new));
    x[j] = x_new;
    w[j].v[part] = x_new.v[0];
  }
  largest = most;
  change = moved;
}

// Sweeps after which the bands are followed one by one.
constexpr int kLong = 128;

// The least share of the squared values that squared residuals from sums of
// products may be.
constexpr double kFewDigits = 1e-6;

// The state of a descent.
template <int K>
struct Descent {
  Bands w[K];
  Bands result[K];
  Bands sweeps;
  PackMask<kLanes> done;
};

// Sweep number `sweep` for one vector of bands.
template <int K>
HWY_INLINE void SweepPart(const GramMatrix& gram, const LassoOptions& options,
                          const Problem<K>& p, const Bands (&start)[K],
                          int part, int sweep, Descent<K>& descent) {
  const Part zero = Broadcast<Bands::kPer>(0);
  Part largest;
  Part change;
  Sweep<K>(gram, start, part, descent.w, largest, change);
  PackMask<Bands::kPer> done;
  done.m[0] = descent.done.m[part];
  auto settled =
      Either(change < Broadcast<Bands::kPer>(options.tolerance) * largest,
             largest == zero);
  if (sweep == options.max_iterations) settled = largest == largest;
  settled = Without(settled, done);
  // Of few coefficients the gap is computed sooner than a branch is foreseen.
  constexpr bool kFew = K <= 3;
  if (!kFew && None(settled)) return;
  if (sweep != options.max_iterations) {
    settled = Both(settled, GapIsClosed<K>(gram, options, p, descent.w, part));
    if (!kFew && None(settled)) return;
  }
  for (int j = 0; j < K; ++j) {
    descent.result[j].v[part] = hn::IfThenElse(
        settled.m[0], descent.w[j].v[part], descent.result[j].v[part]);
  }
  descent.sweeps.v[part] = hn::IfThenElse(
      settled.m[0], Broadcast<Bands::kPer>(sweep).v[0], descent.sweeps.v[part]);
  descent.done.m[part] = hn::Or(done.m[0], settled.m[0]);
}

// Follows the bands that are not done to their ends.
template <int K>
HWY_NOINLINE void FinishBands(const GramMatrix& gram,
                              const LassoOptions& options, const Problem<K>& p,
                              const Bands (&start)[K], int sweep,
                              Descent<K>& descent) {
  Row w[K];
  Row xy[K];
  Row begin[K];
  Row result[K];
  Row yy;
  Row sweeps;
  Row open;
  for (int j = 0; j < K; ++j) {
    Store(descent.w[j], w[j].v);
    Store(p.xy[j], xy[j].v);
    Store(start[j], begin[j].v);
    Store(descent.result[j], result[j].v);
  }
  Store(p.yy, yy.v);
  Store(descent.sweeps, sweeps.v);
  Store(Select(descent.done, Broadcast<kLanes>(0), Broadcast<kLanes>(1)),
        open.v);
  for (int lane = 0; lane < kLanes; ++lane) {
    if (open.v[lane] == 0) continue;
    BandProblem<K> problem;
    Point at = {};
    for (int j = 0; j < K; ++j) {
      problem.xy[j] = xy[j].v[lane];
      problem.start[j] = begin[j].v[lane];
      at.w[j] = w[j].v[lane];
    }
    problem.yy = yy.v[lane];
    LongDescent<K> rest(gram, options, problem, at, sweep);
    sweeps.v[lane] = rest.Finish();
    for (int j = 0; j < K; ++j) result[j].v[lane] = rest.at().w[j];
  }
  for (int j = 0; j < K; ++j) descent.result[j] = Load<kLanes>(result[j].v);
  descent.sweeps = Load<kLanes>(sweeps.v);
}

// Sums of squared residuals of the result, y'y - w'(X'y + X'(y - Xw)). False if
// they are so small that too few digits are left.
template <int K>
HWY_INLINE bool SquaredResiduals(const GramMatrix& gram, const Problem<K>& p,
                                 const Bands (&w)[K], const Row& squares,
                                 Row& out) {
  Bands left = p.yy;
  for (int j = 0; j < K; ++j) {
    Bands gradient = p.xy[j];
    INTERNODE_UNROLL
    for (int k = 0; k < K; ++k) {
      gradient =
          NegMulAdd(Broadcast<kLanes>(gram.product[j][k]), w[k], gradient);
    }
    left = NegMulAdd(w[j], p.xy[j] + gradient, left);
  }
  Store(left, out.v);
  return All(Broadcast<kLanes>(kFewDigits) * Load<kLanes>(squares.v) <= left);
}

template <int K>
HWY_INLINE bool Descend(const GramMatrix& gram, const LassoOptions& options,
                        const Row* products, const Row& squares, Row* weights,
                        Row& residuals, Row* sweeps) {
  const Bands zero = Broadcast<kLanes>(0);
  const Problem<K> p = Centre<K>(gram, products, squares);
  Bands start[K];
  Descent<K> descent;
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) {
    start[j] = p.xy[j] * Broadcast<kLanes>(gram.inverse[j]);
    descent.w[j] = zero;
    descent.result[j] = zero;
  }
  descent.sweeps = zero;
  // A constant band, as in the padding, would never close its gap.
  descent.done = p.yy == zero;
  for (int sweep = 1; sweep <= options.max_iterations; ++sweep) {
    bool all_done = true;
    for (int part = 0; part < Bands::kVectors; ++part) {
      const Part::D d;
      if (hn::AllTrue(d, descent.done.m[part])) continue;
      all_done = false;
      SweepPart<K>(gram, options, p, start, part, sweep, descent);
    }
    if (all_done) break;
    if (sweep == kLong) {
      FinishBands<K>(gram, options, p, start, sweep, descent);
      break;
    }
  }
  Bands constant = Load<kLanes>(products[0].v) / Broadcast<kLanes>(p.count);
  for (int j = 0; j < K; ++j) {
    constant = constant - Broadcast<kLanes>(gram.mean[j]) * descent.result[j];
    Store(descent.result[j], weights[j + 1].v);
  }
  Store(constant, weights[0].v);
  for (int j = K + 1; j < kBasis; ++j) Store(zero, weights[j].v);
  if (sweeps != nullptr) Store(descent.sweeps, sweeps->v);
  return SquaredResiduals<K>(gram, p, descent.result, squares, residuals);
}

bool DescendAny(const GramMatrix& gram, const LassoOptions& options,
                const Row* products, const Row& squares, Row* weights,
                Row& residuals, Row* sweeps) {
  if (gram.columns == 3) {
    return Descend<3>(gram, options, products, squares, weights, residuals,
                      sweeps);
  }
  if (gram.columns == 5) {
    return Descend<5>(gram, options, products, squares, weights, residuals,
                      sweeps);
  }
  return Descend<7>(gram, options, products, squares, weights, residuals,
                    sweeps);
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(DescendAny);

bool SolveLasso(const LassoOptions& options, const WindowSums& sums,
                Curves& curves, Row* sweeps) {
  GramMatrix gram;
  gram.Set(sums, options.lambda);
  const int groups = static_cast<int>(curves.rmse.size());
  bool exact = true;
  for (int g = 0; g < groups; ++g) {
    Row* weights = curves.weights.data() + static_cast<int64_t>(g) * kBasis;
    exact &= HWY_DYNAMIC_DISPATCH(DescendAny)(
        gram, options, sums.products(g), sums.squares(g), weights,
        curves.rmse[static_cast<size_t>(g)],
        sweeps == nullptr ? nullptr : sweeps + g);
  }
  curves.coefficients = sums.columns();
  return exact;
}

void FitCurves(const LassoOptions& options, const Series& series,
               const DateTable& dates, const WindowSums& sums, Curves& curves) {
  if (!SolveLasso(options, sums, curves, nullptr)) {
    ResidualSquares(series, dates, curves, sums.begin(), sums.end(),
                    curves.rmse.data());
  }
  const double divisor = std::max(sums.count() - curves.coefficients, 1);
  for (Row& rmse : curves.rmse) {
    for (double& x : rmse.v) x = std::sqrt(x / divisor);
  }
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
