#ifndef INTERNODE_WORKER_DATA_ROOTS_H_
#define INTERNODE_WORKER_DATA_ROOTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace internode::worker {

// The folders that a worker reads cubes from. A value; thread-safe.
class DataRoots {
 public:
  // Every path.
  DataRoots() = default;
  // Errors: kNotFound, kInvalidArgument: not a folder.
  static absl::StatusOr<DataRoots> Create(
      const std::vector<std::string>& roots);

  // The path of the file behind `path`, without symbolic links; without roots
  // `path` itself. Errors: kNotFound; kPermissionDenied, the file lies outside
  // the roots; kInvalidArgument, a relative path.
  absl::StatusOr<std::string> Resolve(const std::string& path) const;

 private:
  // Without symbolic links.
  std::vector<std::string> roots_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_DATA_ROOTS_H_
