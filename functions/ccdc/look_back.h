#ifndef INTERNODE_FUNCTIONS_CCDC_LOOK_BACK_H_
#define INTERNODE_FUNCTIONS_CCDC_LOOK_BACK_H_

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_state.h"

namespace internode::functions::ccdc {

// Extends the window backwards, observation by observation, to the end of the
// previous segment at most, as long as what lies before fits state.curves.
// Single observations that are far off are dropped.
void LookBack(const Model& model, const DateTable& dates, PixelState& state);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_LOOK_BACK_H_
