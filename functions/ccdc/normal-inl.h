// Weighted least squares with Tmask's five columns, for two bands at once.
//
// Included once per target (highway's foreach_target).

#if defined(INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#undef INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#else
#define INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#endif

#include "functions/ccdc/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

constexpr int kX = 4;        // columns without the constant
constexpr int kColumns = 5;  // the constant is column 0

// One number of each of two bands.
using Two = Pack<2>;

// A symmetric system of each band: lower triangle and right side.
struct Normal {
  Two a[kColumns][kColumns];
  Two y[kColumns];
};

// Its factors L D L'; directions without information have a zero in
// `inverse`, and coefficient 0.
struct Factors {
  Two l[kColumns][kColumns];
  Two inverse[kColumns];
};

// In all chains of operations what is known last enters last: one system takes
// as long as its longest chain.
HWY_INLINE void Factorise(const Normal& n, Factors& f) {
  const Two zero = Broadcast<2>(0);
  const Two one = Broadcast<2>(1);
  const Two least = Broadcast<2>(1e-13);
  Two scaled[kColumns];  // L D of the row
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    INTERNODE_UNROLL
    for (int j = 0; j < i; ++j) {
      Two s = n.a[i][j];
      INTERNODE_UNROLL
      for (int m = 0; m < j; ++m) s = NegMulAdd(scaled[m], f.l[j][m], s);
      scaled[j] = s;
      f.l[i][j] = s * f.inverse[j];
    }
    Two s = n.a[i][i];
    INTERNODE_UNROLL
    for (int m = 0; m < i; ++m) s = NegMulAdd(scaled[m], f.l[i][m], s);
    f.inverse[i] = Select(s > least * n.a[i][i], one / s, zero);
  }
}

HWY_INLINE void Substitute(const Factors& f, const Normal& n,
                           Two (&b)[kColumns]) {
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    Two s = n.y[i];
    INTERNODE_UNROLL
    for (int m = 0; m < i; ++m) s = NegMulAdd(f.l[i][m], b[m], s);
    b[i] = s;
  }
  INTERNODE_UNROLL
  for (int i = kColumns - 1; i >= 0; --i) {
    Two s = b[i] * f.inverse[i];
    INTERNODE_UNROLL
    for (int m = kColumns - 1; m > i; --m) s = NegMulAdd(f.l[m][i], b[m], s);
    b[i] = s;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
