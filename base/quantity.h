#ifndef INTERNODE_BASE_QUANTITY_H_
#define INTERNODE_BASE_QUANTITY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode {

// Parses a size in bytes: a number, then nothing, `B`, `kB`, `MB`, `GB`, `TB`
// (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);

// Parses a duration such as `90s`, `1h30m`, `250ms`, `7d`; a bare number is
// refused, because its unit would be a guess. Negative durations are refused.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// A size as people read it: "1.5 GiB", "64 MiB", "17 B".
std::string FormatBytes(int64_t bytes);

// A duration as people read it: "01:12:04".
std::string FormatClock(absl::Duration duration);

}  // namespace internode

#endif  // INTERNODE_BASE_QUANTITY_H_
