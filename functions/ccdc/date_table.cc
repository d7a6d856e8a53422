#include "functions/ccdc/date_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "functions/ccdc/numpy_order.h"

namespace internode::functions::ccdc {

absl::StatusOr<DateTable> DateTable::Make(const Model& model,
                                          absl::Span<const int32_t> days) {
  if (days.size() > static_cast<size_t>(kMaxDates)) {
    return absl::InvalidArgumentError(absl::StrCat("there are ", days.size(),
                                                   " dates; at most ",
                                                   kMaxDates, " are possible"));
  }
  for (const int32_t day : days) {
    if (day < -kMaxDay || day > kMaxDay) {
      return absl::InvalidArgumentError(absl::StrCat(
          "date ", day, " is more than ", kMaxDay, " days from 1970-01-01"));
    }
  }
  DateTable table;
  table.year_length_ = model.parameters().year_length;
  table.SortDates(model.pyccd(), days);
  table.TabulateBasis();
  // The reference measures the distance in the season with a year of 365.25
  // days, whatever the year of the regression.
  if (model.pyccd()) {
    table.TabulateSeasons(4, 1461);
  } else {
    table.TabulateSeasons(
        10000, static_cast<int32_t>(std::lround(table.year_length_ * 10000)));
  }
  return table;
}

void DateTable::SortDates(bool numpy_order, absl::Span<const int32_t> days) {
  order_.resize(days.size());
  if (numpy_order) {
    const std::vector<int64_t> keys(days.begin(), days.end());
    NumpyOrder(keys, absl::MakeSpan(order_));
  } else {
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(
        order_.begin(), order_.end(), [days](int32_t a, int32_t b) {
          return days[static_cast<size_t>(a)] < days[static_cast<size_t>(b)];
        });
  }
  days_.reserve(days.size());
  for (const int32_t i : order_) days_.push_back(days[static_cast<size_t>(i)]);
  input_is_sorted_ = std::is_sorted(order_.begin(), order_.end());
}

void DateTable::TabulateBasis() {
  if (days_.empty()) return;
  // In the middle of the series, so that the sums of the regression lose the
  // fewest digits.
  reference_day_ = days_.front() + (days_.back() - days_.front()) / 2;
  basis_.reserve(days_.size());
  for (const int32_t day : days_) {
    const double t = day + kOrdinalOf1970;
    const CosSin first = PeriodicCosSin(t, year_length_);
    const CosSin second = PeriodicCosSin(2 * t, year_length_);
    const CosSin third = PeriodicCosSin(3 * t, year_length_);
    basis_.push_back(
        Row{{1, static_cast<double>(day - reference_day_), first.cos, first.sin,
             second.cos, second.sin, third.cos, third.sin}});
  }
  slow_.reserve(days_.size() * kSlowYears);
  for (int years = 1; years <= kSlowYears; ++years) {
    for (const int32_t day : days_) {
      slow_.push_back(
          PeriodicCosSin(day + kOrdinalOf1970, years * year_length_));
    }
  }
}

void DateTable::TabulateSeasons(int32_t per_day, int32_t season_length) {
  season_length_ = season_length;
  season_.reserve(days_.size());
  for (const int32_t day : days_) {
    const int64_t units = static_cast<int64_t>(day) * per_day % season_length;
    season_.push_back(
        static_cast<int32_t>(units < 0 ? units + season_length : units));
  }
  by_season_.resize(days_.size());
  std::iota(by_season_.begin(), by_season_.end(), 0);
  std::stable_sort(by_season_.begin(), by_season_.end(),
                   [this](int32_t a, int32_t b) {
                     return season_[static_cast<size_t>(a)] <
                            season_[static_cast<size_t>(b)];
                   });
  season_rank_.resize(days_.size());
  for (size_t rank = 0; rank < by_season_.size(); ++rank) {
    season_rank_[static_cast<size_t>(by_season_[rank])] =
        static_cast<int32_t>(rank);
  }
}

}  // namespace internode::functions::ccdc
