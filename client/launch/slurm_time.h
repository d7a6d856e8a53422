#ifndef INTERNODE_CLIENT_LAUNCH_SLURM_TIME_H_
#define INTERNODE_CLIENT_LAUNCH_SLURM_TIME_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode::launch {

// A duration as Slurm writes it: `minutes`, `minutes:seconds`,
// `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` or
// `days-hours:minutes:seconds`; UNLIMITED is infinite. Errors
// (kInvalidArgument): it is none of these, or longer than 10,000 days.
absl::StatusOr<absl::Duration> ParseSlurmTime(absl::string_view text);

// As `days-hours:minutes:seconds`, rounded up to a whole second.
std::string FormatSlurmTime(absl::Duration duration);

}  // namespace internode::launch

#endif  // INTERNODE_CLIENT_LAUNCH_SLURM_TIME_H_
