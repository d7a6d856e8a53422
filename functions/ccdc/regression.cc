#include "functions/ccdc/regression.h"

#include <algorithm>
#include <cmath>

#include "functions/ccdc/window.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "functions/ccdc/regression.cc"
#include "hwy/foreach_target.h"

#include "functions/ccdc/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {
namespace {

// Lower triangle of the products of the basis functions: rows below 4 need
// one quad, the others two.
template <int kColumns>
HWY_INLINE void AddBasis(const Window& w, Row* basis) {
  Pack<4> low[kColumns];
  Pack<4> high[4];
  for (int r = 0; r < kColumns; ++r) low[r] = Load<4>(basis[r].v);
  for (int r = 4; r < kColumns; ++r) high[r - 4] = Load<4>(basis[r].v + 4);
  for (int i = w.begin; i < w.end; ++i) {
    const double* b = w.Basis(i);
    const Pack<4> first = Load<4>(b);
    for (int r = 0; r < kColumns; ++r) {
      low[r] = MulAdd(Broadcast<4>(b[r]), first, low[r]);
    }
    if constexpr (kColumns > 4) {
      const Pack<4> second = Load<4>(b + 4);
      for (int r = 4; r < kColumns; ++r) {
        high[r - 4] = MulAdd(Broadcast<4>(b[r]), second, high[r - 4]);
      }
    }
  }
  for (int r = 0; r < kColumns; ++r) Store(low[r], basis[r].v);
  for (int r = 4; r < kColumns; ++r) Store(high[r - 4], basis[r].v + 4);
}

// As many bands at once as a vector has lanes.
constexpr int kBandsAtOnce = Pack<8>::kPer;
using Bands = Pack<kBandsAtOnce>;

template <int kColumns>
HWY_INLINE void AddProducts(const Window& w, int group, int lane, Row* products,
                            Row* squares) {
  Bands sums[kColumns];
  for (int r = 0; r < kColumns; ++r) {
    sums[r] = Load<kBandsAtOnce>(products[r].v + lane);
  }
  Bands square = Load<kBandsAtOnce>(squares->v + lane);
  for (int i = w.begin; i < w.end; ++i) {
    const double* b = w.Basis(i);
    const Bands y = Load<kBandsAtOnce>(w.Values(i, group * kLanes + lane));
    sums[0] = sums[0] + y;
    for (int r = 1; r < kColumns; ++r) {
      sums[r] = MulAdd(Broadcast<kBandsAtOnce>(b[r]), y, sums[r]);
    }
    square = MulAdd(y, y, square);
  }
  for (int r = 0; r < kColumns; ++r) Store(sums[r], products[r].v + lane);
  Store(square, squares->v + lane);
}

template <int kColumns>
HWY_INLINE void AddWindow(const Window& w, Row* basis, Row* products,
                          Row* squares) {
  AddBasis<kColumns>(w, basis);
  for (int g = 0; g < w.groups; ++g) {
    for (int lane = 0; lane < kLanes; lane += kBandsAtOnce) {
      AddProducts<kColumns>(w, g, lane, products + g * kBasis, squares + g);
    }
  }
}

void Add(const Window& w, int columns, Row* basis, Row* products,
         Row* squares) {
  if (columns == 4) return AddWindow<4>(w, basis, products, squares);
  if (columns == 6) return AddWindow<6>(w, basis, products, squares);
  AddWindow<8>(w, basis, products, squares);
}

template <int kColumns>
HWY_INLINE Bands Predict(const double* basis,
                         const Bands (&weights)[kColumns]) {
  Bands sum = weights[0];
  for (int r = 1; r < kColumns; ++r) {
    sum = MulAdd(Broadcast<kBandsAtOnce>(basis[r]), weights[r], sum);
  }
  return sum;
}

template <int kColumns>
HWY_INLINE void LoadWeights(const Row* weights, int lane,
                            Bands (&out)[kColumns]) {
  for (int r = 0; r < kColumns; ++r) {
    out[r] = Load<kBandsAtOnce>(weights[r].v + lane);
  }
}

template <int kColumns>
HWY_INLINE void SumSquaredResiduals(const Window& w, const Row* weights,
                                    Row* out) {
  for (int g = 0; g < w.groups; ++g) {
    for (int lane = 0; lane < kLanes; lane += kBandsAtOnce) {
      Bands curve[kColumns];
      LoadWeights(weights + g * kBasis, lane, curve);
      Bands sum = Broadcast<kBandsAtOnce>(0);
      for (int i = w.begin; i < w.end; ++i) {
        const Bands y = Load<kBandsAtOnce>(w.Values(i, g * kLanes + lane));
        const Bands r = y - Predict(w.Basis(i), curve);
        sum = MulAdd(r, r, sum);
      }
      Store(sum, out[g].v + lane);
    }
  }
}

void Squares(const Window& w, const Row* weights, int columns, Row* out) {
  if (columns == 4) return SumSquaredResiduals<4>(w, weights, out);
  SumSquaredResiduals<8>(w, weights, out);
}

void SquaresOf(const Window& at, const int32_t* slot_of_date,
               const Row* weights, const int32_t* chosen, int count, Row* sum,
               Row* least, Row* most) {
  for (int g = 0; g < at.groups; ++g) {
    for (int lane = 0; lane < kLanes; lane += kBandsAtOnce) {
      Bands curve[kBasis];
      LoadWeights(weights + g * kBasis, lane, curve);
      Bands total = Broadcast<kBandsAtOnce>(0);
      Bands low = Broadcast<kBandsAtOnce>(HUGE_VAL);
      Bands high = total;
      for (int i = 0; i < count; ++i) {
        const int32_t date = chosen[i];
        const Row* values =
            at.rows + static_cast<int64_t>(slot_of_date[date]) * at.groups;
        const Bands y = Load<kBandsAtOnce>(values[g].v + lane);
        const Bands r = y - Predict(at.basis[date].v, curve);
        const Bands square = r * r;
        total = total + square;
        low = Min(low, square);
        high = Max(high, square);
      }
      Store(total, sum[g].v + lane);
      Store(low, least[g].v + lane);
      Store(high, most[g].v + lane);
    }
  }
}

void OneResidual(const Window& w, const Row* weights, int i, Row* out) {
  for (int g = 0; g < w.groups; ++g) {
    for (int lane = 0; lane < kLanes; lane += kBandsAtOnce) {
      Bands curve[kBasis];
      LoadWeights(weights + g * kBasis, lane, curve);
      const Bands y = Load<kBandsAtOnce>(w.Values(i, g * kLanes + lane));
      Store(y - Predict(w.Basis(i), curve), out[g].v + lane);
    }
  }
}

// (residual * scale)^2 of the bands of a group that count, lanes i and i + 4
// added.
HWY_INLINE Pack<4> ScaledSquares(const Window& w, int group, const Row* weights,
                                 int i, const Row* scale, const Row* used) {
  Row squares;
  for (int lane = 0; lane < kLanes; lane += kBandsAtOnce) {
    Bands curve[kBasis];
    LoadWeights(weights + group * kBasis, lane, curve);
    const Bands y = Load<kBandsAtOnce>(w.Values(i, group * kLanes + lane));
    const Bands r = (y - Predict(w.Basis(i), curve)) *
                    Load<kBandsAtOnce>(scale[group].v + lane);
    const auto counts =
        Broadcast<kBandsAtOnce>(0) < Load<kBandsAtOnce>(used[group].v + lane);
    Store(Select(counts, r * r, Broadcast<kBandsAtOnce>(0)), squares.v + lane);
  }
  return Load<4>(squares.v) + Load<4>(squares.v + 4);
}

void AllScores(const Window& w, const Row* weights, const Row* scale,
               const Row* used, double* out) {
  std::fill(out, out + (w.end - w.begin), 0.0);
  for (int g = 0; g < w.groups; ++g) {
    for (int i = w.begin; i < w.end; i += 4) {
      Pack<4> squares[4];
      for (int o = 0; o < 4; ++o) {
        const int at = std::min(i + o, w.end - 1);
        squares[o] = ScaledSquares(w, g, weights, at, scale, used);
      }
      double totals[4];
      Totals(squares[0], squares[1], squares[2], squares[3], totals);
      for (int o = 0; o < 4 && i + o < w.end; ++o) {
        out[i + o - w.begin] += totals[o];
      }
    }
  }
}

double OneScore(const Window& w, const Row* weights, int i, const Row* scale,
                const Row* used) {
  double total = 0;
  for (int g = 0; g < w.groups; ++g) {
    double s[4];
    Store(ScaledSquares(w, g, weights, i, scale, used), s);
    total += (s[0] + s[1]) + (s[2] + s[3]);
  }
  return total;
}

}  // namespace
// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::functions::ccdc {

HWY_EXPORT(Add);
HWY_EXPORT(Squares);
HWY_EXPORT(SquaresOf);
HWY_EXPORT(OneResidual);
HWY_EXPORT(OneScore);
HWY_EXPORT(AllScores);

void WindowSums::Start(const Series& series, int begin, int columns) {
  begin_ = begin;
  end_ = begin;
  columns_ = columns;
  std::fill(basis_, basis_ + kBasis, Row{});
  const auto groups = static_cast<size_t>(series.groups());
  products_.assign(groups * kBasis, Row{});
  squares_.assign(groups, Row{});
}

void WindowSums::Extend(const Series& series, const DateTable& dates, int end) {
  HWY_DYNAMIC_DISPATCH(Add)
  (WindowOf(series, dates, end_, end), columns_, basis_, products_.data(),
   squares_.data());
  end_ = end;
}

void ResidualSquares(const Series& series, const DateTable& dates,
                     const Curves& curves, int begin, int end, Row* out) {
  HWY_DYNAMIC_DISPATCH(Squares)
  (WindowOf(series, dates, begin, end), curves.weights.data(),
   curves.coefficients, out);
}

void ResidualSquaresOf(const Series& series, const DateTable& dates,
                       const Curves& curves, const int32_t* chosen, int count,
                       Row* sum, Row* least, Row* most) {
  HWY_DYNAMIC_DISPATCH(SquaresOf)
  (WindowOf(series, dates, 0, 0), series.slot_of_date(), curves.weights.data(),
   chosen, count, sum, least, most);
}

void Residuals(const Series& series, const DateTable& dates,
               const Curves& curves, int i, Row* out) {
  HWY_DYNAMIC_DISPATCH(OneResidual)
  (WindowOf(series, dates, i, i + 1), curves.weights.data(), i, out);
}

double Score(const Series& series, const DateTable& dates, const Curves& curves,
             int i, const Row* scale, const Row* used) {
  return HWY_DYNAMIC_DISPATCH(OneScore)(WindowOf(series, dates, i, i + 1),
                                        curves.weights.data(), i, scale, used);
}

void Scores(const Series& series, const DateTable& dates, const Curves& curves,
            int begin, int end, const Row* scale, const Row* used,
            double* out) {
  HWY_DYNAMIC_DISPATCH(AllScores)
  (WindowOf(series, dates, begin, end), curves.weights.data(), scale, used,
   out);
}

}  // namespace internode::functions::ccdc
#endif  // HWY_ONCE
