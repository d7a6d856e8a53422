#ifndef INTERNODE_FUNCTIONS_CCDC_DATE_TABLE_H_
#define INTERNODE_FUNCTIONS_CCDC_DATE_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "functions/ccdc/harmonics.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/row.h"

namespace internode::functions::ccdc {

// Everything that depends on the acquisition dates alone, made once for all
// pixels that share them: the order of the dates, the basis functions of the
// regression and of Tmask, and the day of year. Immutable; thread-safe.
//
// "Date i" is the i-th in ascending order. Equal dates are in numpy's order
// (numpy_order.h) with Compat::kPyccd, else in input order.
class DateTable {
 public:
  // The largest count of dates, and of days from 1970-01-01 either way.
  static constexpr int kMaxDates = 1 << 24;
  static constexpr int kMaxDay = 100000000;

  // `days`: days since 1970-01-01 in the order of the observations.
  static absl::StatusOr<DateTable> Make(const Model& model,
                                        absl::Span<const int32_t> days);

  int size() const { return static_cast<int>(days_.size()); }
  // The observation of date i, as an index into the input.
  const int32_t* order() const { return order_.data(); }
  bool input_is_sorted() const { return input_is_sorted_; }
  const int32_t* days() const { return days_.data(); }

  // The day that the second basis function counts from.
  int reference_day() const { return reference_day_; }
  // Basis functions of date i: 1, days - reference_day, then the harmonics of
  // the proleptic ordinal.
  const Row* basis() const { return basis_.data(); }

  // Cosine and sine with the period of `years` years.
  CosSin Slow(int years, int i) const {
    if (years <= kSlowYears) {
      return slow_[static_cast<size_t>((years - 1) * size() + i)];
    }
    return PeriodicCosSin(days_[static_cast<size_t>(i)] + kOrdinalOf1970,
                          years * year_length_);
  }
  // Slow(years, i) for all i, or null if it is not tabulated.
  const CosSin* SlowTable(int years) const {
    return years <= kSlowYears
               ? slow_.data() + static_cast<int64_t>(years - 1) * size()
               : nullptr;
  }

  // Day of year of date i in units of 1/season_length() of a year.
  const int32_t* season() const { return season_.data(); }
  int32_t season_length() const { return season_length_; }
  // Dates in the order of their season (then of i), and the inverse.
  const int32_t* by_season() const { return by_season_.data(); }
  const int32_t* season_rank() const { return season_rank_.data(); }

 private:
  static constexpr int kSlowYears = 6;

  DateTable() = default;
  void SortDates(bool numpy_order, absl::Span<const int32_t> days);
  void TabulateBasis();
  void TabulateSeasons(int32_t per_day, int32_t season_length);

  double year_length_ = 0;
  int reference_day_ = 0;
  bool input_is_sorted_ = true;
  int32_t season_length_ = 1;
  std::vector<int32_t> order_;
  std::vector<int32_t> days_;
  std::vector<Row> basis_;
  std::vector<CosSin> slow_;
  std::vector<int32_t> season_;
  std::vector<int32_t> by_season_;
  std::vector<int32_t> season_rank_;
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_DATE_TABLE_H_
