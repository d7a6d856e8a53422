#ifndef INTERNODE_FUNCTIONS_CCDC_CATCH_H_
#define INTERNODE_FUNCTIONS_CCDC_CATCH_H_

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_state.h"
#include "functions/ccdc/segment.h"

namespace internode::functions::ccdc {

// Adds a simple curve of four coefficients over [begin, end), which no stable
// segment covers, with the given days and quality. begin < end.
void CatchCurve(const Model& model, const DateTable& dates, int begin, int end,
                int32_t start_day, int32_t end_day, int32_t break_day,
                CurveQa quality, PixelState& state);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_CATCH_H_
