#include "functions/ccdc/lasso.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/lasso.cc"
#include "hwy/foreach_target.h"

#include "functions/ccdc/gram.h"
#include "functions/ccdc/lanes-inl.h"

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
  const auto infeasible = steepest > lambda;
  const Part shrink =
      Select(infeasible, lambda / steepest, Broadcast<Bands::kPer>(1));
  const Part half = Broadcast<Bands::kPer>(0.5);
  // Half of each square; both are equal where nothing has to shrink.
  const Part quadratic = half * (squared + shrink * shrink * squared);
  const Part gap = quadratic + lambda * norm - shrink * residual_y;
  return gap < Broadcast<Bands::kPer>(options.tolerance) * yy;
}

// One sweep: w_j <- S(x_j'(y - sum over the others) / q_j), S the soft
// threshold lambda / q_j. The coefficient changed last enters last, so that
// the chain of dependent operations is short; vectors one after the other, so
// that a sweep's coefficients stay in registers.
template <int K>
HWY_INLINE void Sweep(const GramMatrix& gram, const Bands (&start)[K],
                      Bands (&w)[K], Bands& largest, Bands& change) {
  for (int part = 0; part < Bands::kVectors; ++part) {
    Part x[K];
    for (int j = 0; j < K; ++j) x[j].v[0] = w[j].v[part];
    Part most = Broadcast<Bands::kPer>(0);
    Part moved = most;
    for (int j = 0; j < K; ++j) {
      Part z;
      z.v[0] = start[j].v[part];
      for (int k = j + 1; k < K; ++k) {
        z = NegMulAdd(Broadcast<Bands::kPer>(gram.scaled[j][k]), x[k], z);
      }
      for (int k = 0; k < j; ++k) {
        z = NegMulAdd(Broadcast<Bands::kPer>(gram.scaled[j][k]), x[k], z);
      }
      const Part threshold = Broadcast<Bands::kPer>(gram.threshold[j]);
      const Part x_new = z - Max(Min(z, threshold), Negative(threshold));
      moved = Max(moved, Abs(x_new - x[j]));
      most = Max(most, Abs(x_new));
      x[j] = x_new;
    }
    for (int j = 0; j < K; ++j) w[j].v[part] = x[j].v[0];
    largest.v[part] = most.v[0];
    change.v[part] = moved.v[0];
  }
}

template <int K>
HWY_INLINE void Descend(const GramMatrix& gram, const LassoOptions& options,
                        const Row* products, const Row& squares, Row* weights,
                        Row* sweeps) {
  const Bands zero = Broadcast<kLanes>(0);
  const Problem<K> p = Centre<K>(gram, products, squares);
  Bands start[K];
  Bands w[K];
  Bands result[K];
  for (int j = 0; j < K; ++j) {
    start[j] = p.xy[j] * Broadcast<kLanes>(gram.inverse[j]);
    w[j] = zero;
    result[j] = zero;
  }
  const Bands tolerance = Broadcast<kLanes>(options.tolerance);
  // A constant band, as in the padding, would never close its gap.
  PackMask<kLanes> done = p.yy == zero;
  Bands taken = zero;
  for (int sweep = 1; sweep <= options.max_iterations && !All(done); ++sweep) {
    Bands largest;
    Bands change;
    Sweep<K>(gram, start, w, largest, change);
    auto settled = Either(change < tolerance * largest, largest == zero);
    const bool last = sweep == options.max_iterations;
    if (last) settled = largest == largest;
    settled = Without(settled, done);
    if (None(settled)) continue;
    if (!last) {
      for (int part = 0; part < Bands::kVectors; ++part) {
        PackMask<Bands::kPer> here;
        here.m[0] = settled.m[part];
        if (None(here)) continue;
        here = Both(here, GapIsClosed<K>(gram, options, p, w, part));
        settled.m[part] = here.m[0];
      }
      if (None(settled)) continue;
    }
    for (int j = 0; j < K; ++j) result[j] = Select(settled, w[j], result[j]);
    taken = Select(settled, Broadcast<kLanes>(sweep), taken);
    done = Either(done, settled);
  }
  Bands constant = Load<kLanes>(products[0].v) / Broadcast<kLanes>(p.count);
  for (int j = 0; j < K; ++j) {
    constant = constant - Broadcast<kLanes>(gram.mean[j]) * result[j];
    Store(result[j], weights[j + 1].v);
  }
  Store(constant, weights[0].v);
  for (int j = K + 1; j < kBasis; ++j) Store(zero, weights[j].v);
  if (sweeps != nullptr) Store(taken, sweeps->v);
}

void DescendAny(const GramMatrix& gram, const LassoOptions& options,
                const Row* products, const Row& squares, Row* weights,
                Row* sweeps) {
  if (gram.columns == 3) {
    return Descend<3>(gram, options, products, squares, weights, sweeps);
  }
  if (gram.columns == 5) {
    return Descend<5>(gram, options, products, squares, weights, sweeps);
  }
  Descend<7>(gram, options, products, squares, weights, sweeps);
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(DescendAny);

void SolveLasso(const LassoOptions& options, const WindowSums& sums,
                Curves& curves, Row* sweeps) {
  GramMatrix gram;
  gram.Set(sums, options.lambda);
  const int groups = static_cast<int>(curves.rmse.size());
  for (int g = 0; g < groups; ++g) {
    Row* weights = curves.weights.data() + static_cast<int64_t>(g) * kBasis;
    HWY_DYNAMIC_DISPATCH(DescendAny)
    (gram, options, sums.products(g), sums.squares(g), weights,
     sweeps == nullptr ? nullptr : sweeps + g);
  }
  curves.coefficients = sums.columns();
}

void FitCurves(const LassoOptions& options, const Series& series,
               const DateTable& dates, const WindowSums& sums, Curves& curves) {
  SolveLasso(options, sums, curves, nullptr);
  ResidualSquares(series, dates, curves, sums.begin(), sums.end(),
                  curves.rmse.data());
  const double divisor = std::max(sums.count() - curves.coefficients, 1);
  for (Row& rmse : curves.rmse) {
    for (double& x : rmse.v) x = std::sqrt(x / divisor);
  }
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
