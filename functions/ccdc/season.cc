#include "functions/ccdc/season.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <numeric>

#include "functions/ccdc/numpy_order.h"

namespace internode::functions::ccdc {
namespace {

// Distance in the season of dates a and b, round the year.
int32_t Distance(const DateTable& dates, int32_t a, int32_t b) {
  const int32_t d = std::abs(dates.season()[a] - dates.season()[b]);
  return std::min(d, dates.season_length() - d);
}

}  // namespace

void SeasonSpace::Reset(const DateTable& dates) {
  dates_ = dates.size();
  size_ = 0;
  const size_t words = (static_cast<size_t>(dates_) + 63) / 64;
  if (bits_.size() == words) {
    for (const size_t word : words_) bits_[word] = 0;
  } else {
    bits_.assign(words, 0);
  }
  words_.clear();
}

void SeasonSpace::Add(const DateTable& dates, const Series& series, int begin,
                      int end) {
  for (int i = begin; i < end; ++i) {
    const auto rank = static_cast<size_t>(dates.season_rank()[series.date(i)]);
    uint64_t& bits = bits_[rank / 64];
    if (bits == 0) words_.push_back(rank / 64);
    bits |= uint64_t{1} << (rank % 64);
  }
  size_ += end - begin;
}

int64_t SeasonSpace::Next(int64_t rank) const {
  if (rank >= dates_) return -1;
  auto word = static_cast<size_t>(rank / 64);
  uint64_t bits = bits_[word] & (~uint64_t{0} << (rank % 64));
  while (bits == 0) {
    if (++word == bits_.size()) return -1;
    bits = bits_[word];
  }
  return static_cast<int64_t>(word) * 64 + std::countr_zero(bits);
}

int64_t SeasonSpace::Previous(int64_t rank) const {
  if (rank < 0) return -1;
  auto word = static_cast<size_t>(rank / 64);
  uint64_t bits = bits_[word] & (~uint64_t{0} >> (63 - rank % 64));
  while (bits == 0) {
    if (word-- == 0) return -1;
    bits = bits_[word];
  }
  return static_cast<int64_t>(word) * 64 + 63 - std::countl_zero(bits);
}

void SeasonSpace::FindNearest(const DateTable& dates, int target, int count) {
  nearest_.clear();
  tied_.clear();
  if (size_ <= count) {
    CollectDates(dates);
    nearest_ = all_;
    return;
  }
  // Walks away from the target in both directions, round the year.
  const int64_t start = dates.season_rank()[target];
  const auto up = [this](int64_t rank) {
    const int64_t found = Next(rank);
    return found >= 0 ? found : Next(0);
  };
  const auto down = [this](int64_t rank) {
    const int64_t found = Previous(rank);
    return found >= 0 ? found : Previous(dates_ - 1);
  };
  int64_t above = up(start);
  int64_t below = down(start - 1);
  int32_t last = -1;  // distance of the last one taken
  for (int taken = 0; taken < size_; ++taken) {
    const int32_t date_above = dates.by_season()[above];
    const int32_t date_below = dates.by_season()[below];
    const int32_t far_above = Distance(dates, date_above, target);
    const int32_t far_below = Distance(dates, date_below, target);
    const int32_t far = std::min(far_above, far_below);
    if (taken >= count && far > last) break;
    last = far;
    if (far_above <= far_below) {
      nearest_.push_back(date_above);
      above = up(above + 1);
    } else {
      nearest_.push_back(date_below);
      below = down(below - 1);
    }
  }
  if (static_cast<int>(nearest_.size()) == count) return;
  while (!nearest_.empty() &&
         Distance(dates, nearest_.back(), target) == last) {
    tied_.push_back(nearest_.back());
    nearest_.pop_back();
  }
}

void SeasonSpace::CollectDates(const DateTable& dates) {
  all_.clear();
  for (size_t word = 0; word < bits_.size(); ++word) {
    for (uint64_t bits = bits_[word]; bits != 0; bits &= bits - 1) {
      const auto rank = word * 64 + static_cast<size_t>(std::countr_zero(bits));
      all_.push_back(dates.by_season()[rank]);
    }
  }
  std::sort(all_.begin(), all_.end());
}

void SeasonSpace::BreakTies(const DateTable& dates, int target, int count,
                            bool numpy_order) {
  CollectDates(dates);
  distances_.clear();
  for (const int32_t date : all_) {
    distances_.push_back(Distance(dates, date, target));
  }
  order_.resize(all_.size());
  if (numpy_order) {
    NumpyOrder(distances_, absl::MakeSpan(order_));
  } else {
    std::iota(order_.begin(), order_.end(), 0);
    std::sort(order_.begin(), order_.end(), [this](int32_t a, int32_t b) {
      const int64_t far_a = distances_[static_cast<size_t>(a)];
      const int64_t far_b = distances_[static_cast<size_t>(b)];
      return far_a != far_b ? far_a < far_b : a < b;
    });
  }
  nearest_.clear();
  tied_.clear();
  for (int i = 0; i < count; ++i) {
    const auto place = static_cast<size_t>(order_[static_cast<size_t>(i)]);
    nearest_.push_back(all_[place]);
  }
}

}  // namespace internode::functions::ccdc
