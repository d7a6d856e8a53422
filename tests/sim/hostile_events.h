#ifndef INTERNODE_TESTS_SIM_HOSTILE_EVENTS_H_
#define INTERNODE_TESTS_SIM_HOSTILE_EVENTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace internode::sim {

// Reads `bytes` as events: plausible ones, that take up what the core granted
// before, and lies, in any mixture, and feeds them to a Core. After each event
// the core's invariants are checked, and that no task is accepted twice, none
// that is done comes back, and only known ids are acted upon. OK, or the first
// thing found wrong. Any bytes will do.
absl::Status DriveCore(absl::Span<const uint8_t> bytes);

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_HOSTILE_EVENTS_H_
