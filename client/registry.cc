#include <string>
#include <vector>

#include "client/job_data.h"
#include "functions/plugin.h"

namespace internode::client {

absl::StatusOr<functions::Registry> LoadRegistry(
    const std::vector<std::string>& function_path) {
  return functions::LoadRegistry(function_path);
}

}  // namespace internode::client
