// Weighted least squares with Tmask's five columns.
//
// Included once per target (highway's foreach_target).

#if defined(INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#undef INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#else
#define INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
#endif

#include <cmath>

#include "functions/ccdc/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

constexpr int kX = 4;        // columns without the constant
constexpr int kColumns = 5;  // the constant is column 0

// A symmetric system: lower triangle and right side.
struct Normal {
  double a[kColumns][kColumns];
  double y[kColumns];
};

// Its factors L D L'; directions without information have a zero in
// `inverse`, and coefficient 0.
struct Factors {
  double l[kColumns][kColumns];
  double inverse[kColumns];
};

HWY_INLINE void Factorise(const Normal& n, Factors& f) {
  double scaled[kColumns];  // L D of the row
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    INTERNODE_UNROLL
    for (int j = 0; j < i; ++j) {
      double s = n.a[i][j];
      INTERNODE_UNROLL
      for (int m = 0; m < j; ++m) s = std::fma(-scaled[m], f.l[j][m], s);
      scaled[j] = s;
      f.l[i][j] = s * f.inverse[j];
    }
    double s = n.a[i][i];
    INTERNODE_UNROLL
    for (int m = 0; m < i; ++m) s = std::fma(-scaled[m], f.l[i][m], s);
    f.inverse[i] = s > 1e-13 * n.a[i][i] ? 1 / s : 0;
  }
}

HWY_INLINE void Substitute(const Factors& f, const Normal& n,
                           double (&b)[kColumns]) {
  INTERNODE_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    double s = n.y[i];
    INTERNODE_UNROLL
    for (int m = 0; m < i; ++m) s = std::fma(-f.l[i][m], b[m], s);
    b[i] = s;
  }
  INTERNODE_UNROLL
  for (int i = kColumns - 1; i >= 0; --i) {
    double s = b[i] * f.inverse[i];
    INTERNODE_UNROLL
    for (int m = i + 1; m < kColumns; ++m) s = std::fma(-f.l[m][i], b[m], s);
    b[i] = f.inverse[i] == 0 ? 0 : s;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_NORMAL_INL_H_
