#ifndef INTERNODE_FUNCTIONS_CCDC_INITIALISE_H_
#define INTERNODE_FUNCTIONS_CCDC_INITIALISE_H_

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_state.h"

namespace internode::functions::ccdc {

// Moves the window [state.begin, state.end) forward to the first position that
// is long enough and where simple curves of four coefficients are stable:
// small slope, and first and last observation near the curve. Observations
// that Tmask finds to be outliers are dropped on the way, for good. On success
// state.curves are the curves of the window. False if the series ends before.
bool Initialise(const Model& model, const DateTable& dates, PixelState& state);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_INITIALISE_H_
