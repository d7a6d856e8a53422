#ifndef INTERNODE_FUNCTIONS_CCDC_HARMONICS_H_
#define INTERNODE_FUNCTIONS_CCDC_HARMONICS_H_

#include <cstdint>

#include "functions/ccdc/row.h"

namespace internode::functions::ccdc {

// The proleptic Gregorian ordinal of 1970-01-01 (0001-01-01 is 1). The
// regression runs on ordinals, since the penalty on the coefficients makes the
// fit depend on the phase origin; results are turned to days since 1970.
inline constexpr int kOrdinalOf1970 = 719163;

struct CosSin {
  double cos;
  double sin;
};

// Cosine and sine of 2 pi t / period, for |t| < 2^53 and period > 0. Uses only
// operations that IEEE 754 rounds exactly, so that all machines agree to the
// last bit; within 4e-16 of the true value.
CosSin PeriodicCosSin(double t, double period);

// Moves the phase origin of coefficients (intercept, slope, cos, sin, cos 2,
// sin 2, cos 3, sin 3): harmonics in t become those in u = t - shift. The curve
// stays the same, exactly; intercept and slope are not touched.
class PhaseShift {
 public:
  PhaseShift(double shift, double period);
  void Apply(double* coefs) const;

 private:
  CosSin turns_[3];
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_HARMONICS_H_
