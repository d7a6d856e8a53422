#ifndef INTERNODE_SCHEDULER_ACCESS_ATTEMPT_BUDGET_H_
#define INTERNODE_SCHEDULER_ACCESS_ATTEMPT_BUDGET_H_

#include <cstdint>

#include "absl/time/time.h"

namespace internode::scheduler {

// How many failed attempts are looked at closely: `most` at once, and one more
// each `interval`. Thread-compatible.
class AttemptBudget {
 public:
  AttemptBudget(int64_t most, absl::Duration interval)
      : most_(most), interval_(interval), left_(most) {}

  // Takes one; false: there is none.
  bool Take(absl::Time now);

  // How many were denied since this was last asked.
  int64_t TakeDenied();

 private:
  const int64_t most_;
  const absl::Duration interval_;
  int64_t left_;
  // When `left_` was right.
  absl::Time since_ = absl::InfinitePast();
  int64_t denied_ = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ACCESS_ATTEMPT_BUDGET_H_
