#ifndef INTERNODE_FUNCTIONS_CCDC_DETECT_H_
#define INTERNODE_FUNCTIONS_CCDC_DETECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/filters.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_input.h"
#include "functions/ccdc/pixel_state.h"
#include "functions/ccdc/qa.h"
#include "functions/ccdc/segment.h"

namespace internode::functions::ccdc {

enum class PixelStatus {
  kOk,
  kNoSegments,
  kTooFewObservations,
  kFailed,  // see PixelResult::message
};

// The result of one pixel. Reused from pixel to pixel.
struct PixelResult {
  PixelStatus status = PixelStatus::kNoSegments;
  std::string message;  // of kFailed
  Procedure procedure = Procedure::kStandard;
  double cloud_probability = 0;  // NaN without any observation but fill
  double snow_probability = 0;
  double water_probability = 0;
};

// Everything that computing a pixel needs besides its data, and its results.
// One per thread. Thread-compatible.
struct Workspace {
  PixelState state;
  FilterSpace filter;
  std::vector<QaClass> classes;
  PixelResult result;

  const SegmentList& segments() const { return state.segments; }
  // One byte per date in ascending order: 1 if the observation was used.
  // All 0 if the pixel failed.
  const std::vector<uint8_t>& processing_mask() const {
    return state.series.mask();
  }
};

// Finds the segments of one pixel: stable stretches of its time series, each
// with a curve per band, and the changes between them. `dates` was made with
// `model`, and `pixel` has model.bands() bands of dates.size() values. The
// results are in `workspace` until the next call. Does not allocate once
// `workspace` has seen the largest pixel.
//
// Zhu and Woodcock (2014), Remote Sens. Environ. 144, 152-171, in the form of
// USGS lcmap-pyccd 2018.10.17.
void DetectSegments(const Model& model, const DateTable& dates,
                    const PixelInput& pixel, Workspace& workspace);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_DETECT_H_
