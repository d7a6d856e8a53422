#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_DESCRIBE_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_DESCRIBE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "internode/executor.h"
#include "internode/job.h"

// What can be run, and on what, as the processes see it that would run it.

namespace internode {

// A cube as `internode cube info --output json` prints it: of `cube` only its
// path, group and dimension names count. An executor outside of this process
// asks a worker, and this process need not see the cube; null: this process.
// Errors: those of opening a cube; kUnavailable (no worker); kPermissionDenied
// (outside of the worker's data roots).
absl::StatusOr<std::string> DescribeCube(Executor* executor,
                                         const CubeOptions& cube);

// The functions that the executor's workers have, one JSON object each, as
// `internode functions NAME --output json` prints it, ordered by name. Null,
// or an executor of this process: the built-in ones. Errors: kUnavailable (no
// worker).
absl::StatusOr<std::vector<std::string>> ListFunctions(Executor* executor);

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_DESCRIBE_H_
