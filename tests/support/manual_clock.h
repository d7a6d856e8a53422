#ifndef INTERNODE_TESTS_SUPPORT_MANUAL_CLOCK_H_
#define INTERNODE_TESTS_SUPPORT_MANUAL_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

#include "base/clock.h"

namespace internode::testing {

// A clock that stands still until it is told. Thread-safe.
class ManualClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixNanos(nanos_); }
  void Advance(absl::Duration duration) {
    nanos_ += absl::ToInt64Nanoseconds(duration);
  }

 private:
  std::atomic<int64_t> nanos_ = int64_t{1'700'000'000} * 1'000'000'000;
};

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_MANUAL_CLOCK_H_
