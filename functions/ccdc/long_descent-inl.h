// The end of long coordinate descents, one band at a time.
//
// As long as no coefficient changes its sign or becomes zero, a sweep is an
// affine map, and 2^n sweeps are its 2^n-th power. So a descent that creeps
// towards its end can be carried there in a few jumps: to the last sweep from
// which it has not stopped. It stops at the same sweep as without jumps,
// because the gap of a creeping descent falls steadily.
//
// Included once per target (highway's foreach_target).

#if defined(INTERNODE_FUNCTIONS_CCDC_LONG_DESCENT_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef INTERNODE_FUNCTIONS_CCDC_LONG_DESCENT_INL_H_
#undef INTERNODE_FUNCTIONS_CCDC_LONG_DESCENT_INL_H_
#else
#define INTERNODE_FUNCTIONS_CCDC_LONG_DESCENT_INL_H_
#endif

#include <cmath>

#include "functions/ccdc/gram.h"
#include "functions/ccdc/lanes-inl.h"
#include "functions/ccdc/lasso.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

// The centred problem of one band, as in Problem.
template <int K>
struct BandProblem {
  double xy[K];     // X'y
  double start[K];  // X'y / G_jj
  double yy;        // y'y
};

// Coefficients in one vector, then a place for the 1 of the affine map.
struct alignas(64) Point {
  double w[8];
};

// w -> A w + b. Columns of A, then b; K of the eight lanes are used.
template <int K>
struct AffineMap {
  Point column[K + 1];
};

template <int K>
HWY_INLINE Pack<8> Apply(const AffineMap<K>& map, const Point& at) {
  Pack<8> sum = Load<8>(map.column[K].w);
  INTERNODE_UNROLL
  for (int k = 0; k < K; ++k) {
    sum = MulAdd(Broadcast<8>(at.w[k]), Load<8>(map.column[k].w), sum);
  }
  return sum;
}

// The map applied twice.
template <int K>
HWY_INLINE void Twice(const AffineMap<K>& map, AffineMap<K>& out) {
  Store(Apply<K>(map, map.column[K]), out.column[K].w);
  for (int k = 0; k < K; ++k) {
    Pack<8> sum = Broadcast<8>(0);
    INTERNODE_UNROLL
    for (int j = 0; j < K; ++j) {
      sum = MulAdd(Broadcast<8>(map.column[k].w[j]), Load<8>(map.column[j].w),
                   sum);
    }
    Store(sum, out.column[k].w);
  }
}

// A sweep among the coefficients that are not zero in `at`.
template <int K>
HWY_INLINE void MapOfSweep(const GramMatrix& gram, const BandProblem<K>& p,
                           const Point& at, AffineMap<K>& out) {
  Point row[K];  // of A, then b
  for (int j = 0; j < K; ++j) {
    Point r = {};
    if (at.w[j] != 0) {
      for (int k = j + 1; k < K; ++k) r.w[k] = -gram.scaled[j][k];
      r.w[K] = p.start[j] - std::copysign(gram.threshold[j], at.w[j]);
      Pack<8> sum = Load<8>(r.w);
      for (int i = 0; i < j; ++i) {
        sum =
            NegMulAdd(Broadcast<8>(gram.scaled[j][i]), Load<8>(row[i].w), sum);
      }
      Store(sum, r.w);
    }
    row[j] = r;
  }
  for (int k = 0; k <= K; ++k) {
    for (int j = 0; j < 8; ++j) out.column[k].w[j] = j < K ? row[j].w[k] : 0;
  }
}

// One sweep; whether no coefficient changed by much.
template <int K>
HWY_INLINE bool SweepBand(const GramMatrix& gram, const BandProblem<K>& p,
                          double tolerance, const Point& from, Point& to) {
  double x[K];
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) x[j] = from.w[j];
  double most = 0;
  double moved = 0;
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) {
    double z = p.start[j];
    INTERNODE_UNROLL
    for (int i = 1; i < K - 1; ++i) {
      const int k = (j + i) % K;
      z = std::fma(-gram.scaled[j][k], x[k], z);
    }
    const int last = (j + K - 1) % K;
    const double t = gram.threshold[j];
    const double above = std::fma(-gram.scaled[j][last], x[last], z - t);
    const double below = std::fma(-gram.scaled[j][last], x[last], z + t);
    const double x_new = HWY_MAX(above, 0) + HWY_MIN(below, 0);
    moved = HWY_MAX(moved, std::fabs(x_new - x[j]));
    most = HWY_MAX(most, std::fabs(x_new));
    x[j] = x_new;
    to.w[j] = x_new;
  }
  return moved < tolerance * most || most == 0;
}

template <int K>
HWY_INLINE bool BandGapIsClosed(const GramMatrix& gram,
                                const LassoOptions& options,
                                const BandProblem<K>& p, const Point& at) {
  double steepest = 0;
  double residual_y = p.yy;
  double residual_fit = 0;
  double norm = 0;
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) {
    double gradient = p.xy[j];
    INTERNODE_UNROLL
    for (int k = 0; k < K; ++k) {
      gradient = std::fma(-gram.product[j][k], at.w[k], gradient);
    }
    steepest = HWY_MAX(steepest, std::fabs(gradient));
    residual_y = std::fma(-at.w[j], p.xy[j], residual_y);
    residual_fit = std::fma(at.w[j], gradient, residual_fit);
    norm += std::fabs(at.w[j]);
  }
  const double squared = residual_y - residual_fit;
  const double lambda = options.lambda * gram.count;
  const double shrink = steepest > lambda ? lambda / steepest : 1;
  const double quadratic = 0.5 * (squared + shrink * shrink * squared);
  const double gap = quadratic + lambda * norm - shrink * residual_y;
  return gap < options.tolerance * p.yy;
}

template <int K>
HWY_INLINE bool SameSigns(const Point& a, const Point& b) {
  bool same = true;
  INTERNODE_UNROLL
  for (int j = 0; j < K; ++j) {
    same &= (a.w[j] > 0) == (b.w[j] > 0) && (a.w[j] < 0) == (b.w[j] < 0);
  }
  return same;
}

// The descent of one band after `sweep` sweeps.
template <int K>
class LongDescent {
 public:
  LongDescent(const GramMatrix& gram, const LassoOptions& options,
              const BandProblem<K>& problem, const Point& at, int sweep)
      : gram_(gram), options_(options), p_(problem), at_(at), sweep_(sweep) {}

  // To the end; the number of sweeps.
  HWY_INLINE int Finish() {
    int next_jump = sweep_ + 1;
    while (sweep_ < options_.max_iterations) {
      Point next;
      const bool stops = Stops(at_, next);
      const bool steady = SameSigns<K>(at_, next);
      at_ = next;
      ++sweep_;
      if (stops) break;
      if (steady && sweep_ >= next_jump) {
        JumpAhead();
        next_jump = sweep_ + kPause;
      }
    }
    return sweep_;
  }
  const Point& at() const { return at_; }

 private:
  // Sweeps between two series of jumps.
  static constexpr int kPause = 16;
  static constexpr int kLevels = 10;  // jumps of up to 2^9 sweeps

  // Sweeps from `from` to `to`; whether the descent ends there.
  HWY_INLINE bool Stops(const Point& from, Point& to) const {
    return SweepBand<K>(gram_, p_, options_.tolerance, from, to) &&
           BandGapIsClosed<K>(gram_, options_, p_, to);
  }

  // Jumps by 2^level sweeps and goes one more, unless the descent would have
  // ended or changed its signs before.
  HWY_INLINE bool Jump(int level) {
    const int sweep = sweep_ + (1 << level) + 1;
    if (sweep >= options_.max_iterations) return false;
    Point far;
    Point next;
    Store(Apply<K>(maps_[level], at_), far.w);
    if (!SameSigns<K>(at_, far)) return false;
    if (Stops(far, next) || !SameSigns<K>(far, next)) return false;
    at_ = next;
    sweep_ = sweep;
    return true;
  }

  HWY_INLINE void JumpAhead() {
    MapOfSweep<K>(gram_, p_, at_, maps_[0]);
    int level = 0;
    while (Jump(level) && level + 1 < kLevels) {
      Twice<K>(maps_[level], maps_[level + 1]);
      ++level;
    }
    while (level-- > 0) Jump(level);
  }

  const GramMatrix& gram_;
  const LassoOptions& options_;
  const BandProblem<K>& p_;
  Point at_;
  int sweep_;
  AffineMap<K> maps_[kLevels];
};

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_LONG_DESCENT_INL_H_
