#ifndef INTERNODE_SCHEDULER_CORE_NANOS_H_
#define INTERNODE_SCHEDULER_CORE_NANOS_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace internode::scheduler::core {

// Times (since 1970) and durations in the core: whole nanoseconds, so that
// nothing depends on how a machine rounds.
using Nanos = int64_t;

// Later than all that happens; sums of two such values do not overflow.
inline constexpr Nanos kNever = int64_t{1} << 62;

inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;
inline constexpr Nanos kDay = 86'400 * kSecond;

inline Nanos ToNanos(absl::Time time) {
  return std::clamp<Nanos>(absl::ToUnixNanos(time), 0, kNever / 2);
}

inline absl::Time FromNanos(Nanos nanos) {
  return nanos >= kNever ? absl::InfiniteFuture() : absl::FromUnixNanos(nanos);
}

inline Nanos ToNanos(absl::Duration duration, Nanos least, Nanos most) {
  return std::clamp(absl::ToInt64Nanoseconds(duration), least, most);
}

// a * b for values that are not negative; `most` where that is more.
inline int64_t MultiplyUpTo(int64_t a, int64_t b, int64_t most) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return most;
  return std::min(product, most);
}

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_NANOS_H_
