#ifndef INTERNODE_FUNCTIONS_CCDC_VARIOGRAM_H_
#define INTERNODE_FUNCTIONS_CCDC_VARIOGRAM_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/row.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// Scratch space of Variogram() and MedianStep().
struct VariogramSpace {
  std::vector<int32_t> counts;
  std::vector<double> values;
  std::vector<double> differences;  // (band, pair)
};

// Median of the differences of successive days of at least two observations.
double MedianStep(const Series& series, VariogramSpace& space);

// The madogram of each band: the median absolute difference of observations
// that are `lag` apart in the series and more than `min_days` apart in time,
// for the first lag of which the most frequent difference in time (the
// smallest, if several are) is more than min_days. `out`: series.groups()
// rows; padding lanes are 0. False if there is no such lag.
bool Variogram(const Series& series, int bands, int min_days,
               VariogramSpace& space, Row* out);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_VARIOGRAM_H_
