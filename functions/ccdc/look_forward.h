#ifndef INTERNODE_FUNCTIONS_CCDC_LOOK_FORWARD_H_
#define INTERNODE_FUNCTIONS_CCDC_LOOK_FORWARD_H_

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_state.h"

namespace internode::functions::ccdc {

// Extends the window forwards until all of the next state.peek observations
// are off the curves (a change), or the series ends, and adds the segment.
// Single observations that are far off are dropped. The curves are refitted,
// with more coefficients as observations come in, at each step while there are
// few, then whenever the time spanned has grown by refit_factor. At least
// state.peek observations lie behind the window.
void LookForward(const Model& model, const DateTable& dates, PixelState& state);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_LOOK_FORWARD_H_
