#include "functions/ccdc/series.h"

#include <algorithm>

namespace internode::functions::ccdc {

void Series::Reset(const Model& model, const DateTable& dates) {
  const auto n = static_cast<size_t>(dates.size());
  const auto groups = static_cast<size_t>(model.groups());
  size_ = 0;
  reached_ = 0;
  rest_ = 0;
  moves_ = 0;
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
  reached_ = size_;
  rest_ = size_;
}

void Series::SubtractOrigin(int begin) {
  if (begin >= size_) return;
  if (begin == 0) std::copy(row(0), row(0) + groups_, origin_.begin());
  for (int i = begin; i < size_; ++i) {
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
  --size_;
  if (rest_ == reached_) {
    reached_ = i;
    rest_ = i + 1;
    return;
  }
  --reached_;
  for (int k = i; k < reached_; ++k) Move(k + 1, k);
}

void Series::DropAll(const std::vector<uint8_t>& drop) {
  int kept = 0;
  for (int i = 0; i < size_; ++i) {
    if (drop[static_cast<size_t>(i)] != 0) {
      mask_[static_cast<size_t>(date(i))] = 0;
    } else {
      Move(i, kept++);
    }
  }
  size_ = kept;
  reached_ = kept;
  rest_ = kept;
}

void Series::Reach(int end) {
  if (rest_ == reached_) return;
  for (end = std::min(end, size_); reached_ < end;) Move(rest_++, reached_++);
}

void Series::Move(int from, int to) {
  const auto f = static_cast<size_t>(from);
  const auto t = static_cast<size_t>(to);
  day_[t] = day_[f];
  date_[t] = date_[f];
  slot_[t] = slot_[f];
  ++moves_;
}

void Series::ClearMask(const DateTable& dates) {
  mask_.assign(static_cast<size_t>(dates.size()), 0);
}

}  // namespace internode::functions::ccdc
