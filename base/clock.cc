#include "base/clock.h"

#include "absl/time/clock.h"

namespace internode {
namespace {

class MachineClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace

const Clock* RealClock() {
  static const MachineClock* const clock = new MachineClock();
  return clock;
}

}  // namespace internode
