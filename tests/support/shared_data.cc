#include "tests/support/shared_data.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace internode::testing {

std::string SharedDataPath(const std::string& name) {
  const char* set = std::getenv("INTERNODE_SHARED_DATA");
  const std::filesystem::path folder =
      set != nullptr && *set != '\0'
          ? std::filesystem::path(set)
          : std::filesystem::path(INTERNODE_TEST_SOURCE_DIR) / ".." / "shared" /
                "data";
  return (folder / name).lexically_normal().string();
}

bool SharedDataExists(const std::string& name) {
  std::error_code error;
  return std::filesystem::exists(SharedDataPath(name), error);
}

bool SharedDataIsRequired() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && *ci != '\0';
}

}  // namespace internode::testing
