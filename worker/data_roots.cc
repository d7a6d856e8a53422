#include "worker/data_roots.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace internode::worker {
namespace {

namespace fs = std::filesystem;

bool LiesWithin(const std::string& path, const std::string& root) {
  return path == root || root == "/" ||
         absl::StartsWith(path, absl::StrCat(root, "/"));
}

}  // namespace

absl::StatusOr<DataRoots> DataRoots::Create(
    const std::vector<std::string>& roots) {
  DataRoots result;
  result.roots_.reserve(roots.size());
  for (const std::string& root : roots) {
    std::error_code error;
    const fs::path real = fs::canonical(root, error);
    if (error) {
      return absl::NotFoundError(
          absl::StrCat("cannot use data root '", root, "': ", error.message()));
    }
    if (!fs::is_directory(real, error)) {
      return absl::InvalidArgumentError(
          absl::StrCat("data root '", root, "' is not a folder"));
    }
    result.roots_.push_back(real.string());
  }
  return result;
}

absl::StatusOr<std::string> DataRoots::Resolve(const std::string& path) const {
  if (!absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "' is a relative path; a worker takes absolute ones only"));
  }
  if (roots_.empty()) return path;
  // Outside the roots nothing is told, not even whether a file exists.
  const absl::Status outside = absl::PermissionDeniedError(
      absl::StrCat("'", path, "' is not under a data root of this worker (",
                   absl::StrJoin(roots_, ", "), ")"));
  std::error_code error;
  const std::string real = fs::weakly_canonical(path, error).string();
  if (error) return outside;
  for (const std::string& root : roots_) {
    if (!LiesWithin(real, root)) continue;
    if (!fs::exists(real, error)) {
      return absl::NotFoundError(
          absl::StrCat("cannot open '", path, "': no such file"));
    }
    return real;
  }
  return outside;
}

}  // namespace internode::worker
