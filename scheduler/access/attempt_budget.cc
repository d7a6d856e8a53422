#include "scheduler/access/attempt_budget.h"

#include <algorithm>
#include <utility>

namespace internode::scheduler {

bool AttemptBudget::Take(absl::Time now) {
  if (now >= since_ + interval_ * most_) {
    left_ = most_;
    since_ = now;
  } else if (now > since_) {
    absl::Duration rest;
    const int64_t more = absl::IDivDuration(now - since_, interval_, &rest);
    left_ = std::min(most_, left_ + more);
    since_ = now - rest;
  }
  if (left_ > 0) {
    --left_;
    return true;
  }
  ++denied_;
  return false;
}

int64_t AttemptBudget::TakeDenied() { return std::exchange(denied_, 0); }

}  // namespace internode::scheduler
