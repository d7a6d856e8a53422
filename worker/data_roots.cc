#include "worker/data_roots.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "worker/path_below.h"

namespace internode::worker {
namespace {

namespace fs = std::filesystem;

bool LiesWithin(const std::string& path, const std::string& root) {
  return path == root || root == "/" ||
         absl::StartsWith(path, absl::StrCat(root, "/"));
}

// Of file systems whose files are the kernel's own words, or memory.
bool IsOfKernel(int fd) {
  struct statfs info = {};
  if (fstatfs(fd, &info) != 0) return false;
  for (const auto type :
       {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
        SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC}) {
    if (static_cast<unsigned long>(info.f_type) ==
        static_cast<unsigned long>(type)) {
      return true;
    }
  }
  return false;
}

}  // namespace

class DataRoots::Folder {
 public:
  explicit Folder(const std::string& path)
      : fd_(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

namespace {

// What an O_PATH descriptor, which is closed, is of.
absl::StatusOr<DataRoots::File> Examine(int fd, const std::string& path,
                                        std::string real) {
  struct stat status = {};
  const bool known = fstat(fd, &status) == 0;
  const bool kernel = IsOfKernel(fd);
  close(fd);
  if (!known || !S_ISREG(status.st_mode) || kernel) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is ",
                     known && S_ISDIR(status.st_mode)
                         ? "a folder, not a NetCDF-4 or HDF5 file"
                         : "not a regular file"));
  }
  return DataRoots::File{std::move(real), status.st_dev, status.st_ino};
}

absl::Status NoSuchFile(const std::string& path) {
  // As Cube::Open says it.
  return absl::NotFoundError(absl::StrCat("no such file '", path, "'"));
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
    auto folder = std::make_shared<const Folder>(real.string());
    if (folder->fd() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("data root '", root, "' is not a folder"));
    }
    result.roots_.push_back({real.string(), std::move(folder)});
  }
  return result;
}

absl::StatusOr<DataRoots::File> DataRoots::Resolve(
    const std::string& path) const {
  if (!absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "' is a relative path; a worker takes absolute ones only"));
  }
  if (roots_.empty()) {
    const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd >= 0) return Examine(fd, path, path);
    if (errno == ENOENT || errno == ENOTDIR) return NoSuchFile(path);
    return absl::FailedPreconditionError(
        errno == EACCES
            ? absl::StrCat("no permission to read '", path, "'")
            : absl::StrCat("cannot open '", path, "': ", std::strerror(errno)));
  }
  // Outside the roots nothing is told, not even whether a file exists.
  absl::Status outside = absl::PermissionDeniedError(absl::StrCat(
      "'", path, "' is not under a data root of this worker (",
      absl::StrJoin(
          roots_, ", ",
          [](std::string* out, const Root& root) { out->append(root.path); }),
      ")"));
  std::error_code error;
  const std::string real = fs::weakly_canonical(path, error).string();
  if (error) return outside;
  for (const Root& root : roots_) {
    if (!LiesWithin(real, root.path)) continue;
    const std::string below =
        real == root.path ? "." : real.substr(root.path.size());
    const size_t first = below.find_first_not_of('/');
    const int fd =
        OpenBelow(root.folder->fd(),
                  first == std::string::npos ? "." : below.substr(first));
    if (fd >= 0) return Examine(fd, path, real);
    // A link took the place of something meanwhile.
    return errno == ENOENT || errno == ENOTDIR ? NoSuchFile(path) : outside;
  }
  return outside;
}

absl::Status DataRoots::Check(const std::string& path) const {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  if (error) return NoSuchFile(path);
  return Resolve(whole.string()).status();
}

}  // namespace internode::worker
