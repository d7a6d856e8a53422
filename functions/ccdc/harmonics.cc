#include "functions/ccdc/harmonics.h"

#include <cmath>

namespace internode::functions::ccdc {
namespace {

// Taylor series for |x| <= pi/4; the first term left out is below 1e-19.
double SmallSin(double x) {
  const double z = x * x;
  double p = 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return x + x * z * p;
}

double SmallCos(double x) {
  const double z = x * x;
  double p = -1.0 / 6402373705728000.0;
  p = p * z + 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  p = p * z - 0.5;
  return 1 + z * p;
}

}  // namespace

CosSin PeriodicCosSin(double t, double period) {
  constexpr double kHalfPi = 1.57079632679489661923;
  const double quarters = 4 * (std::fmod(t, period) / period);
  const double nearest = std::nearbyint(quarters);
  const double x = (quarters - nearest) * kHalfPi;
  const double s = SmallSin(x);
  const double c = SmallCos(x);
  switch (static_cast<int>(nearest) & 3) {
    case 0:
      return {c, s};
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    default:
      return {s, -c};
  }
}

PhaseShift::PhaseShift(double shift, double period) {
  for (int k = 0; k < 3; ++k) {
    turns_[k] = PeriodicCosSin((k + 1) * shift, period);
  }
}

void PhaseShift::Apply(double* coefs) const {
  for (int k = 0; k < 3; ++k) {
    double& a = coefs[2 + 2 * k];
    double& b = coefs[3 + 2 * k];
    const double cos = a * turns_[k].cos + b * turns_[k].sin;
    const double sin = b * turns_[k].cos - a * turns_[k].sin;
    a = cos;
    b = sin;
  }
}

}  // namespace internode::functions::ccdc
