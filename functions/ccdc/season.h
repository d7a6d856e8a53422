#ifndef INTERNODE_FUNCTIONS_CCDC_SEASON_H_
#define INTERNODE_FUNCTIONS_CCDC_SEASON_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// Finds the observations of a window that are nearest in the season. The
// window's dates are bits in the order of the season, so that the neighbours
// of a date are found by scanning words, without sorting.
class SeasonSpace {
 public:
  // Makes the window empty.
  void Reset(const DateTable& dates);
  // Takes observations [begin, end) of the series in.
  void Add(const DateTable& dates, const Series& series, int begin, int end);

  // Finds the `count` observations of the window whose season is nearest to
  // that of date `target`; all, if there are fewer. If the choice among equal
  // distances is open, tied() is not empty.
  void FindNearest(const DateTable& dates, int target, int count);
  // What was found, as indices of the table: certainly among the nearest, ...
  const std::vector<int32_t>& nearest() const { return nearest_; }
  // ... and equally far from the target; only some of these belong.
  const std::vector<int32_t>& tied() const { return tied_; }

  // Chooses among tied() those that come first, in numpy's order of the
  // distances of the window's dates if `numpy_order`, else by date. Then
  // nearest() is complete.
  void BreakTies(const DateTable& dates, int target, int count,
                 bool numpy_order);

 private:
  int64_t Next(int64_t rank) const;      // first set bit >= rank, or -1
  int64_t Previous(int64_t rank) const;  // last set bit <= rank, or -1
  void CollectDates(const DateTable& dates);

  int32_t dates_ = 0;
  int32_t size_ = 0;
  std::vector<uint64_t> bits_;
  std::vector<size_t> words_;  // indices of those that are not 0
  std::vector<int32_t> nearest_;
  std::vector<int32_t> tied_;
  std::vector<int32_t> all_;
  std::vector<int64_t> distances_;
  std::vector<int32_t> order_;
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_SEASON_H_
