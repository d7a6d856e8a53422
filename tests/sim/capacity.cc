#include "tests/sim/capacity.h"

#include <algorithm>
#include <iterator>

namespace internode::sim {

void Capacity::Change(absl::Duration now, double change) {
  sum_ += rate_ * absl::ToDoubleSeconds(now - at_);
  at_ = now;
  rate_ += change;
  if (now - curve_.back().first >= absl::Milliseconds(1)) {
    curve_.emplace_back(now, sum_);
  }
}

absl::Duration Capacity::TimeFor(absl::Duration work, absl::Duration now) {
  Change(now, 0);
  const double wanted = absl::ToDoubleSeconds(work);
  if (wanted > sum_) return absl::InfiniteDuration();
  curve_.emplace_back(now, sum_);
  const auto after = std::find_if(
      std::next(curve_.begin()), curve_.end(),
      [wanted](const auto& point) { return point.second >= wanted; });
  if (after == curve_.end()) return now;
  const auto& [begin, before] = *std::prev(after);
  const auto& [end, sum] = *after;
  if (sum <= before) return begin;
  return begin + (end - begin) * ((wanted - before) / (sum - before));
}

}  // namespace internode::sim
