#include <string>
#include <vector>

#include "base/status_macros.h"
#include "client/job_state.h"
#include "functions/plugin.h"

namespace internode::client {

absl::StatusOr<functions::Registry> LoadRegistry(
    const std::vector<std::string>& function_path) {
  functions::Registry registry = functions::Registry::WithBuiltins();
  for (const std::string& directory : function_path) {
    INTERNODE_RETURN_IF_ERROR(
        functions::LoadPluginDirectory(directory, &registry));
  }
  return registry;
}

}  // namespace internode::client
