#ifndef INTERNODE_FUNCTIONS_CCDC_FILTERS_H_
#define INTERNODE_FUNCTIONS_CCDC_FILTERS_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_input.h"
#include "functions/ccdc/qa.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// kStandard detects changes; the others fit one simple curve, where too few
// observations are clear.
enum class Procedure { kStandard, kSnow, kInsufficientClear };

Procedure ChooseProcedure(const Model& model, const QaSummary& summary);

// Scratch space of the filters.
struct FilterSpace {
  std::vector<int32_t> candidates;  // dates
  std::vector<uint8_t> passes;
  std::vector<double> values;
  std::vector<uint8_t> hazy;
};

// Fills `series` with the observations that `procedure` uses: clear or water
// (with kSnow also snow), within the valid ranges, the first one of each date;
// with kInsufficientClear also not much greener than the median.
// `classes`: the quality class of each date. Values that are not finite are
// never kept.
void FilterObservations(const Model& model, const DateTable& dates,
                        const PixelInput& pixel,
                        const std::vector<QaClass>& classes,
                        Procedure procedure, FilterSpace& space,
                        Series& series);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_FILTERS_H_
