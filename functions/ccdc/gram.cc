#include "functions/ccdc/gram.h"

namespace internode::functions::ccdc {

void GramMatrix::Set(const WindowSums& sums, double lambda) {
  columns = sums.columns() - 1;
  count = sums.count();
  const Row* s = sums.basis();
  for (int j = 0; j < columns; ++j) mean[j] = s[j + 1].v[0] / count;
  for (int j = 0; j < columns; ++j) {
    for (int k = 0; k <= j; ++k) {
      product[j][k] = s[j + 1].v[k + 1] - mean[j] * s[k + 1].v[0];
      product[k][j] = product[j][k];
    }
  }
  for (int j = 0; j < columns; ++j) {
    const bool constant = !(product[j][j] > 0);
    inverse[j] = constant ? 0 : 1 / product[j][j];
    threshold[j] = count * lambda * inverse[j];
    for (int k = 0; k < columns; ++k) {
      scaled[j][k] = product[j][k] * inverse[j];
    }
  }
}

}  // namespace internode::functions::ccdc
