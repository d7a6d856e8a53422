#ifndef INTERNODE_WORKER_DATA_ROOTS_H_
#define INTERNODE_WORKER_DATA_ROOTS_H_

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
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

  // A file that may be read.
  struct File {
    // Without symbolic links; without roots the path as it was given.
    std::string path;
    // Which file it was when it was looked at: whoever opens `path` compares.
    uint64_t device = 0;
    uint64_t inode = 0;
  };

  // The file behind `path`. It is looked at without being opened: devices and
  // pipes notice nothing. Errors: kNotFound; kPermissionDenied, the file lies
  // outside the roots; kInvalidArgument, a relative path, or no regular file
  // (devices, pipes, folders, and what the kernel shows as files).
  absl::StatusOr<File> Resolve(const std::string& path) const;

  // Whether the file may be read, for one that a cube names. As Resolve; the
  // path may be relative.
  absl::Status Check(const std::string& path) const;

 private:
  // A folder, held open: what is below it is found from there.
  class Folder;
  struct Root {
    // Without symbolic links.
    std::string path;
    std::shared_ptr<const Folder> folder;
  };

  std::vector<Root> roots_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_DATA_ROOTS_H_
