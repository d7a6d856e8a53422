#ifndef INTERNODE_CLIENT_LAUNCH_RUN_PROGRAM_H_
#define INTERNODE_CLIENT_LAUNCH_RUN_PROGRAM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode::launch {

// Runs words[0], found in $PATH, with `input` on its stdin until it ends, and
// returns what it wrote on stdout. Errors: kNotFound (there is no such
// program); kDeadlineExceeded (it was killed after `timeout`); kUnavailable (it
// ended with an error: its last words are in the message, one line).
absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& words,
                                       absl::string_view input,
                                       absl::Duration timeout);

}  // namespace internode::launch

#endif  // INTERNODE_CLIENT_LAUNCH_RUN_PROGRAM_H_
