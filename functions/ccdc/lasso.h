#ifndef INTERNODE_FUNCTIONS_CCDC_LASSO_H_
#define INTERNODE_FUNCTIONS_CCDC_LASSO_H_

#include "functions/ccdc/model.h"
#include "functions/ccdc/regression.h"

namespace internode::functions::ccdc {

struct LassoOptions {
  double lambda = 1;  // minimises |y - Xb|^2 / 2n + lambda |b|_1
  double tolerance = 1e-4;
  int max_iterations = 1000;
};

// Cyclic coordinate descent from zero on the centred Gram matrix, with the
// order of columns and the two-stage stopping rule of scikit-learn 1.2.1's
// Lasso: after a sweep in which the largest change is below tolerance times
// the largest coefficient, stop if the duality gap is below tolerance times
// the squared norm of the centred values. The iterate at which it stops is the
// result, so that both are part of the definition. Fits
// `sums.columns()` - 1 coefficients and the constant of every band at once.
//
// Fills weights and coefficients of `curves`, and sums of squared residuals
// instead of its rmse; false if these are so small that they have to be summed
// anew. `sweeps`, if not null: `series.groups()` rows, the number of sweeps of
// each band.
//
// Friedman, Hastie, Tibshirani (2010), J. Stat. Softw. 33(1), on the descent;
// Kim et al. (2007), IEEE J. Sel. Top. Signal Process. 1(4), on the gap.
bool SolveLasso(const LassoOptions& options, const WindowSums& sums,
                Curves& curves, Row* sweeps);

// SolveLasso() and the root mean squared residual of [sums.begin(),
// sums.end()), with the count less the number of coefficients as divisor.
void FitCurves(const LassoOptions& options, const Series& series,
               const DateTable& dates, const WindowSums& sums, Curves& curves);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_LASSO_H_
