#include "functions/ccdc/series.h"

#include <algorithm>

namespace internode::functions::ccdc {

void Series::Reset(const Model& model, const DateTable& dates) {
  const auto n = static_cast<size_t>(dates.size());
  const auto groups = static_cast<size_t>(model.groups());
  size_ = 0;
  if (groups_ != model.groups()) {
    // Padding lanes of the old rows would hold bands.
    rows_.clear();
    groups_ = model.groups();
  }
  if (day_.size() < n) {
    day_.resize(n);
    date_.resize(n);
    slot_.resize(n);
    slot_of_date_.resize(n);
  }
  if (rows_.size() < n * groups) rows_.resize(n * groups, Row{});
  origin_.assign(groups, Row{});
  mask_.assign(n, 0);
}

void Series::Keep(int slot, int date, int32_t day) {
  const auto i = static_cast<size_t>(size_);
  slot_[i] = slot;
  date_[i] = date;
  slot_of_date_[static_cast<size_t>(date)] = slot;
  day_[i] = day;
  mask_[static_cast<size_t>(date)] = 1;
  ++size_;
}

void Series::SubtractOrigin() {
  if (size_ == 0) return;
  const Row* first = row(0);
  std::copy(first, first + groups_, origin_.begin());
  for (int i = 0; i < size_; ++i) {
    Row* values = rows_.data() +
                  static_cast<int64_t>(slot_[static_cast<size_t>(i)]) * groups_;
    for (int g = 0; g < groups_; ++g) {
      for (int lane = 0; lane < kLanes; ++lane) {
        values[g].v[lane] -= origin_[static_cast<size_t>(g)].v[lane];
      }
    }
  }
}

void Series::Drop(int i) {
  mask_[static_cast<size_t>(date(i))] = 0;
  const auto close = [i, this](std::vector<int32_t>& v) {
    std::copy(v.begin() + i + 1, v.begin() + size_, v.begin() + i);
  };
  close(day_);
  close(date_);
  close(slot_);
  --size_;
}

void Series::ClearMask(const DateTable& dates) {
  mask_.assign(static_cast<size_t>(dates.size()), 0);
}

}  // namespace internode::functions::ccdc
