#ifndef INTERNODE_BASE_CLOCK_H_
#define INTERNODE_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace internode {

// What time it is, so that tests can say. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The machine's. Never destroyed.
const Clock* RealClock();

}  // namespace internode

#endif  // INTERNODE_BASE_CLOCK_H_
