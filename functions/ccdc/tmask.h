#ifndef INTERNODE_FUNCTIONS_CCDC_TMASK_H_
#define INTERNODE_FUNCTIONS_CCDC_TMASK_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/row.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// Scratch space of FindOutliers(): grows to the largest window, then stays. Two
// bands are worked on at once; numbers of both are (observation, band), padded
// to a multiple of four observations, keys to one of eight.
struct TmaskSpace {
  std::vector<CosSin> slow;       // (date), of long windows
  std::vector<double> columns;    // (4, observation, band): cos, sin, slow
  std::vector<double> leverages;  // 1 / (1 - leverage)
  std::vector<double> values;
  std::vector<double> squares;  // of the residuals, or of the scaled ones
  std::vector<double> weights;
  std::vector<float> keys;  // the squares in single precision
  std::vector<double> sorted;
  std::vector<uint8_t> outlier;  // (observation): the result

  void Resize(int observations);
};

// Finds single observations (cloud, shadow, snow missed by the quality codes)
// that do not fit the window [begin, end): in each Tmask band a curve with an
// annual term and one as long as the window, in whole years, is fitted by
// iteratively reweighted least squares (Tukey's bisquare, leverages included);
// an observation is an outlier if it is farther from the curve than
// tmask_factor times the band's madogram, in any of the bands. With a window of
// one year or less both terms are the same, and only one is fitted.
//
// Fills space.outlier and returns the number of outliers. The window has at
// least six observations.
//
// Zhu and Woodcock (2014), Remote Sens. Environ. 152, on the method; Holland
// and Welsch (1977), Commun. Stat. A6, on the estimator.
int FindOutliers(const Model& model, const DateTable& dates,
                 const Series& series, const Row* variogram, int begin, int end,
                 TmaskSpace& space);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_TMASK_H_
