#ifndef INTERNODE_FUNCTIONS_CCDC_GRAM_H_
#define INTERNODE_FUNCTIONS_CCDC_GRAM_H_

#include "functions/ccdc/regression.h"
#include "functions/ccdc/row.h"

namespace internode::functions::ccdc {

// The products of the centred columns of a window, and what coordinate descent
// needs of them. Columns are the basis functions without the constant.
struct GramMatrix {
  int columns = 0;
  double count = 0;
  double mean[kBasis];
  double product[kBasis][kBasis];  // G = X'X
  double scaled[kBasis][kBasis];   // G_jk / G_jj; row 0 of a constant column
  double inverse[kBasis];          // 1 / G_jj; 0 for a constant column
  double threshold[kBasis];        // count lambda / G_jj

  void Set(const WindowSums& sums, double lambda);
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_GRAM_H_
