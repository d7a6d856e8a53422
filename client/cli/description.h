#ifndef INTERNODE_CLIENT_CLI_DESCRIPTION_H_
#define INTERNODE_CLIENT_CLI_DESCRIPTION_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "client/cli/report.h"

// What a worker describes as JSON, which comes from another machine.

namespace internode::cli {

// Errors: kDataLoss if `text` is no JSON object.
absl::StatusOr<Json> ParseDescription(const std::string& text);

// What `make` makes of a description. Errors: kDataLoss if it lacks what
// `make` takes from it, or has it in another type.
absl::StatusOr<std::string> DescriptionText(
    const std::function<std::string()>& make);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_DESCRIPTION_H_
