#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/spool/file_system.h"

namespace internode::scheduler {
namespace {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Calls `call` again for as long as a signal interrupts it.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

absl::Status StatusOf(int result, absl::string_view action,
                      absl::string_view path) {
  return result < 0 ? FileError(errno, action, path) : absl::OkStatus();
}

absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags,
                                          absl::string_view action) {
  const int fd =
      Retry([&] { return open(path.c_str(), flags | O_CLOEXEC, 0600); });
  if (fd < 0) return FileError(errno, action, path);
  return Descriptor(fd);
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  absl::StatusOr<int64_t> Append(absl::string_view bytes) override {
    const ssize_t written =
        Retry([&] { return write(file_.get(), bytes.data(), bytes.size()); });
    if (written < 0) return FileError(errno, "write", path_);
    if (written == 0 && !bytes.empty()) return FileError(EIO, "write", path_);
    return written;
  }

  absl::Status Truncate(int64_t size) override {
    return StatusOf(Retry([&] { return ftruncate(file_.get(), size); }),
                    "truncate", path_);
  }

  absl::Status Sync() override {
    return StatusOf(Retry([&] { return fdatasync(file_.get()); }), "sync",
                    path_);
  }

 private:
  const Descriptor file_;
  const std::string path_;
};

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(Descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  absl::StatusOr<int64_t> ReadAt(int64_t offset, int64_t size,
                                 char* buffer) const override {
    int64_t done = 0;
    while (done < size) {
      const ssize_t got = Retry([&] {
        return pread(file_.get(), buffer + done,
                     static_cast<size_t>(size - done), offset + done);
      });
      if (got < 0) return FileError(errno, "read", path_);
      if (got == 0) break;
      done += got;
    }
    return done;
  }

 private:
  const Descriptor file_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  const Descriptor file_;
};

class Posix final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> Create(
      const std::string& path) override {
    INTERNODE_ASSIGN_OR_RETURN(
        Descriptor file,
        OpenDescriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, "create"));
    return std::make_unique<PosixAppendFile>(std::move(file), path);
  }

  absl::StatusOr<std::shared_ptr<const ReadFile>> Open(
      const std::string& path) override {
    INTERNODE_ASSIGN_OR_RETURN(Descriptor file,
                               OpenDescriptor(path, O_RDONLY, "open"));
    return std::make_shared<const PosixReadFile>(std::move(file), path);
  }

  absl::StatusOr<int64_t> Size(const std::string& path) override {
    struct stat info = {};
    if (stat(path.c_str(), &info) < 0) return FileError(errno, "look at", path);
    return info.st_size;
  }

  absl::Status Truncate(const std::string& path, int64_t size) override {
    return StatusOf(Retry([&] { return truncate(path.c_str(), size); }),
                    "truncate", path);
  }

  absl::Status Sync(const std::string& path) override {
    INTERNODE_ASSIGN_OR_RETURN(const Descriptor file,
                               OpenDescriptor(path, O_RDONLY, "open"));
    return StatusOf(Retry([&] { return fdatasync(file.get()); }), "sync", path);
  }

  absl::Status Remove(const std::string& path) override {
    return StatusOf(unlink(path.c_str()), "remove", path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return StatusOf(rename(from.c_str(), to.c_str()), "rename", from);
  }

  absl::Status CreateFolder(const std::string& path) override {
    return StatusOf(mkdir(path.c_str(), 0700), "create folder", path);
  }

  absl::Status RemoveFolder(const std::string& path) override {
    return StatusOf(rmdir(path.c_str()), "remove folder", path);
  }

  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override {
    DIR* const folder = opendir(path.c_str());
    if (folder == nullptr) return FileError(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(folder)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    closedir(folder);
    if (error != 0) return FileError(error, "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status SyncFolder(const std::string& path) override {
    INTERNODE_ASSIGN_OR_RETURN(
        const Descriptor folder,
        OpenDescriptor(path, O_RDONLY | O_DIRECTORY, "open"));
    return StatusOf(Retry([&] { return fsync(folder.get()); }), "sync", path);
  }

  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs info = {};
    if (statvfs(path.c_str(), &info) < 0) {
      return FileError(errno, "look at", path);
    }
    constexpr auto kMost =
        static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(uint64_t{info.f_bavail}, uint64_t{info.f_frsize},
                               &bytes)) {
      bytes = kMost;
    }
    return static_cast<int64_t>(std::min(bytes, kMost));
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) override {
    INTERNODE_ASSIGN_OR_RETURN(Descriptor file,
                               OpenDescriptor(path, O_RDWR | O_CREAT, "open"));
    if (Retry([&] { return flock(file.get(), LOCK_EX | LOCK_NB); }) < 0) {
      if (errno != EWOULDBLOCK) return FileError(errno, "lock", path);
      return absl::FailedPreconditionError(
          absl::StrCat("'", path, "' is locked by another process"));
    }
    return std::make_unique<PosixFileLock>(std::move(file));
  }
};

absl::StatusCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

FileSystem* PosixFileSystem() {
  static Posix file_system;
  return &file_system;
}

absl::Status FileError(int error_number, absl::string_view action,
                       absl::string_view path) {
  return absl::Status(
      CodeOf(error_number),
      absl::StrCat("cannot ", action, " '", path,
                   "': ", std::generic_category().message(error_number)));
}

}  // namespace internode::scheduler
