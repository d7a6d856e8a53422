#ifndef INTERNODE_TESTS_SIM_CAPACITY_H_
#define INTERNODE_TESTS_SIM_CAPACITY_H_

#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace internode::sim {

// Work that could have been done, over time: the integral of a rate that
// changes. Work is in time that a slot of speed 1 takes for it.
class Capacity {
 public:
  // From `now` on the rate is higher by `change`. Time does not go back.
  void Change(absl::Duration now, double change);

  // When the integral reaches `work`; infinite if it does not up to `now`.
  absl::Duration TimeFor(absl::Duration work, absl::Duration now);

  // Up to the last change.
  absl::Duration sum() const { return absl::Seconds(sum_); }

 private:
  double rate_ = 0;
  // Of work.
  double sum_ = 0;
  absl::Duration at_;
  // Points of the integral, at least a millisecond apart.
  std::vector<std::pair<absl::Duration, double>> curve_ = {{{}, 0}};
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_CAPACITY_H_
