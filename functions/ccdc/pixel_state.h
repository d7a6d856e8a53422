#ifndef INTERNODE_FUNCTIONS_CCDC_PIXEL_STATE_H_
#define INTERNODE_FUNCTIONS_CCDC_PIXEL_STATE_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/lasso.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/regression.h"
#include "functions/ccdc/season.h"
#include "functions/ccdc/segment.h"
#include "functions/ccdc/series.h"
#include "functions/ccdc/tmask.h"
#include "functions/ccdc/variogram.h"

namespace internode::functions::ccdc {

// How many observations look forward scores at once.
inline constexpr int kBounds = 16;

// What a pixel took, for the tests of cost: observations counted as often as
// they were worked on.
struct Effort {
  int64_t fits = 0;      // of all bands
  int64_t summed = 0;    // added to the sums of a fit
  int64_t screened = 0;  // in the windows of Tmask
  int64_t scored = 0;    // ahead, in looking forward
  int64_t seasons = 0;   // searches for the nearest in season
};

// What the steps of the standard procedure share while they walk through one
// pixel. Thread-compatible; reused from pixel to pixel without allocating once
// it has seen the largest.
struct PixelState {
  Series series;

  // Set once per pixel, from the observations kept at first.
  int peek = 0;
  double change_threshold = 0;
  std::vector<Row> variogram;          // (group)
  std::vector<Row> variogram_inverse;  // (group)

  // The window [begin, end), and the index after the last segment.
  int begin = 0;
  int end = 0;
  int previous = 0;

  Curves curves;
  WindowSums sums;
  SegmentList segments;
  Effort effort;

  // Scratch space of the steps.
  std::vector<Row> scale;        // (group)
  std::vector<Row> residual;     // (observation, group)
  std::vector<Row> magnitude;    // (group)
  std::vector<Row> least_scale;  // (group)
  std::vector<Row> season_sum;   // (group), and so on
  std::vector<Row> season_least;
  std::vector<Row> season_most;
  std::vector<Row> tied_least;
  std::vector<Row> tied_most;
  std::vector<Row> dropped;  // residuals of the last dropped observation
  std::vector<double> values;
  std::vector<double> bounds;  // kBounds
  SeasonSpace season;
  TmaskSpace tmask;
  VariogramSpace variogram_space;

  void Resize(const Model& model);
};

// The scale of the score: 1 / max(variogram, rmse) for each band, NaN in rmse
// staying NaN.
void ScaleBy(const std::vector<Row>& variogram, const std::vector<Row>& rmse,
             std::vector<Row>& scale);

// Fits all bands with `coefficients` coefficients on [begin, end).
void FitWindow(const Model& model, const DateTable& dates, int begin, int end,
               int coefficients, PixelState& state);

LassoOptions LassoOptionsOf(const Parameters& parameters);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_PIXEL_STATE_H_
