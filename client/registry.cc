#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/job_state.h"

namespace internode::client {

absl::StatusOr<functions::Registry> LoadRegistry(
    const std::vector<std::string>& function_path) {
  functions::Registry registry = functions::Registry::WithBuiltins();
  (void)function_path;
  return registry;
}

}  // namespace internode::client
