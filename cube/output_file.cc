#include "cube/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string ErrorText(int error) {
  // glibc's strerror is thread-safe for the errors of files.
  std::string text = std::strerror(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

absl::Status FileError(absl::string_view path, int error) {
  const std::string message =
      absl::StrCat("cannot write '", path, "': ", ErrorText(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::FailedPreconditionError(message);
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnknownError(message);
  }
}

// Why no file can be made in the folder of `path`, if that can be said better
// than by the error of the operating system.
absl::Status CheckFolder(const std::string& path) {
  const std::string folder = FolderOf(path);
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return FileError(path, errno);
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot write '", path, "': there is no folder '", folder, "'"));
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot write '", path, "': '", folder, "' is not a folder"));
  }
  return absl::OkStatus();
}

absl::Status ExistsError(const std::string& path) {
  return absl::AlreadyExistsError(absl::StrCat(
      "'", path, "' exists already (replace it with --overwrite)"));
}

absl::Status CheckTarget(const std::string& path, bool overwrite) {
  if (path.empty()) {
    return absl::InvalidArgumentError("the name of the output file is empty");
  }
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write '", path, "': it is a folder"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write '", path, "': it is not a regular file"));
  }
  return overwrite ? absl::OkStatus() : ExistsError(path);
}

// Whether `fd` is still the file that `path` names.
bool IsCurrent(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(
    absl::string_view path, bool overwrite) {
  std::unique_ptr<OutputFile> file(
      new OutputFile(std::string(path), overwrite));
  INTERNODE_RETURN_IF_ERROR(CheckTarget(file->path_, overwrite));
  INTERNODE_RETURN_IF_ERROR(CheckFolder(file->path_));
  INTERNODE_RETURN_IF_ERROR(file->OpenPartial());
  return file;
}

absl::Status OutputFile::OpenPartial() {
  while (true) {
    const int fd =
        open(partial_path_.c_str(),
             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0) return FileError(path_, errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      close(fd);
      return absl::FailedPreconditionError(
          absl::StrCat("another run is writing to '", path_, "'"));
    }
    // The run that held the lock may have renamed or removed the file between
    // our open and our lock.
    if (!IsCurrent(fd, partial_path_)) {
      close(fd);
      continue;
    }
    fd_ = fd;
    // What a run that died has left.
    if (ftruncate(fd_, 0) != 0) return FileError(path_, errno);
    return absl::OkStatus();
  }
}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  // Removed under the lock, so that it is not another run's file.
  if (!committed_) unlink(partial_path_.c_str());
  close(fd_);
}

void OutputFile::Fail(int error) {
  if (status_.ok()) status_ = FileError(path_, error);
}

void OutputFile::WriteAt(uint64_t offset, const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0 && status_.ok()) {
    const ssize_t written = pwrite(fd_, next, size, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno != EINTR) Fail(errno);
      continue;
    }
    next += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
}

void OutputFile::ReadAt(uint64_t offset, void* data, size_t size) {
  char* next = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = pread(fd_, next, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail(errno);
    if (got <= 0) break;
    next += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  std::memset(next, 0, size);
}

void OutputFile::Truncate(uint64_t size) {
  if (!status_.ok()) return;
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) Fail(errno);
}

absl::Status OutputFile::Commit() {
  if (status_.ok() && fsync(fd_) != 0) Fail(errno);
  INTERNODE_RETURN_IF_ERROR(status_);
  INTERNODE_RETURN_IF_ERROR(Rename());
  committed_ = true;
  return SyncFolder();
}

absl::Status OutputFile::Rename() {
  if (!overwrite_) {
    // Does not replace a file that has appeared since Create.
    if (renameat2(AT_FDCWD, partial_path_.c_str(), AT_FDCWD, path_.c_str(),
                  RENAME_NOREPLACE) == 0) {
      return absl::OkStatus();
    }
    if (errno == EEXIST) return ExistsError(path_);
    // Some file systems know no RENAME_NOREPLACE.
    if (errno != EINVAL && errno != ENOSYS) return FileError(path_, errno);
    INTERNODE_RETURN_IF_ERROR(CheckTarget(path_, overwrite_));
  }
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    return FileError(path_, errno);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::SyncFolder() {
  const int folder =
      open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A folder that may be written but not read cannot be synced.
  if (folder < 0) return absl::OkStatus();
  const int result = fsync(folder);
  const int error = errno;
  close(folder);
  // EINVAL: the file system does not sync folders.
  if (result != 0 && error != EINVAL) return FileError(path_, error);
  return absl::OkStatus();
}

}  // namespace internode::cube
