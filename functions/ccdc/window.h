#ifndef INTERNODE_FUNCTIONS_CCDC_WINDOW_H_
#define INTERNODE_FUNCTIONS_CCDC_WINDOW_H_

#include <cassert>
#include <cstdint>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/row.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// Observations [begin, end) of a series as the kernels see them. Valid until
// the series changes.
struct Window {
  const Row* basis;
  const int32_t* date;
  const Row* rows;
  const int32_t* slot;
  int groups;
  int begin;
  int end;

  const double* Basis(int i) const { return basis[date[i]].v; }
  const double* Values(int i, int lane) const {
    return rows[static_cast<int64_t>(slot[i]) * groups].v + lane;
  }
};

inline Window WindowOf(const Series& series, const DateTable& dates, int begin,
                       int end) {
  assert(end <= series.reached());
  return {dates.basis(),
          series.dates(),
          series.rows(),
          series.slots(),
          series.groups(),
          begin,
          end};
}

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_WINDOW_H_
