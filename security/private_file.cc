#include "security/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::security {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

absl::Status FileError(int error, absl::string_view what,
                       absl::string_view path) {
  const std::string message =
      absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteAll(int fd, absl::string_view content,
                      const std::string& path, Sync sync) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return sync == Sync::kNo || fsync(fd) == 0 ? absl::OkStatus()
                                             : FileError(errno, "write", path);
}

// What root writes belongs to who owned it before, else to who owns its folder:
// a daemon that is not root must read it.
void GiveToOwner(int fd, const std::string& path) {
  struct stat status = {};
  if (geteuid() != 0) return;
  if (lstat(path.c_str(), &status) == 0 ||
      stat(FolderOf(path).c_str(), &status) == 0) {
    // The file is of use to root at least, if this cannot be.
    if (fchown(fd, status.st_uid, status.st_gid) != 0) errno = 0;
  }
}

// Writes beside `path`, and lets `place` give it its name.
template <class Place>
absl::Status WriteBeside(const std::string& path, absl::string_view content,
                         Sync sync, Place place) {
  const std::string beside = absl::StrCat(path, ".", getpid(), ".new");
  unlink(beside.c_str());
  const Descriptor fd(
      open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return FileError(errno, "write", path);
  GiveToOwner(fd.get(), path);
  absl::Status status = WriteAll(fd.get(), content, path, sync);
  if (status.ok() && place(beside.c_str(), path.c_str()) != 0) {
    status = FileError(errno, "write", path);
  }
  unlink(beside.c_str());
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  // Not to wait for the other end of a pipe.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return FileError(errno, "read", path);
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) return FileError(errno, "read", path);
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is not a file"));
  }
  std::string content;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError(errno, "read", path);
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(size));
    if (content.size() > kMostBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' is larger than 1 MiB"));
    }
  }
}

absl::Status WritePrivateFile(const std::string& path,
                              absl::string_view content, Sync sync) {
  return WriteBeside(path, content, sync, [](const char* from, const char* to) {
    return rename(from, to);
  });
}

absl::Status WriteNewPrivateFile(const std::string& path,
                                 absl::string_view content) {
  return WriteBeside(
      path, content, Sync::kYes,
      [](const char* from, const char* to) { return link(from, to); });
}

absl::Status ChangePrivateFile(
    const std::string& path,
    absl::FunctionRef<absl::Status(std::string* content)> change) {
  const std::string folder = FolderOf(path);
  // Not on the file: another one takes its place.
  const Descriptor lock(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() < 0) return FileError(errno, "open", folder);
  while (flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return FileError(errno, "lock", folder);
  }
  absl::StatusOr<std::string> content = ReadSmallFile(path);
  if (absl::IsNotFound(content.status())) content = std::string();
  INTERNODE_RETURN_IF_ERROR(content.status());
  INTERNODE_RETURN_IF_ERROR(change(&*content));
  return WritePrivateFile(path, *content);
}

absl::Status MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
  const int error = errno;
  struct stat status = {};
  if (error == EEXIST && stat(path.c_str(), &status) == 0 &&
      S_ISDIR(status.st_mode)) {
    return absl::OkStatus();
  }
  return FileError(error, "make the folder", path);
}

}  // namespace internode::security
