#ifndef INTERNODE_CLIENT_CLI_ARGUMENTS_H_
#define INTERNODE_CLIENT_CLI_ARGUMENTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/dimension.h"
#include "internode/job.h"

// What the command's options take, as text. Errors (kInvalidArgument) name the
// option and the form that it takes.

namespace internode::cli {

// "y=5,x=7"; sizes of 0 and more.
absl::StatusOr<core::Dimensions> ParseSizes(absl::string_view option,
                                            absl::string_view text);

// "auto", "none", "100", "y=100,x=100".
absl::StatusOr<ChunkChoice> ParseChunks(absl::string_view text);

// "y=0:100,x=5:10"; also "y=5" (one index), "y=5:", "y=:10".
absl::StatusOr<std::vector<DimensionRange>> ParseSelect(absl::string_view text);

// "blue,green" or "qa=cfmask,blue".
absl::StatusOr<std::vector<VariableChoice>> ParseVariables(
    absl::string_view text);

// "key=value".
absl::StatusOr<std::pair<std::string, std::string>> ParseParameter(
    absl::string_view text);

// "time,y,x" or "blue=time,y,x".
absl::StatusOr<DimensionNames> ParseDimensionNames(absl::string_view text);

// "band,time"; "" is an empty list.
absl::StatusOr<std::vector<std::string>> ParseNames(absl::string_view option,
                                                    absl::string_view text);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_ARGUMENTS_H_
