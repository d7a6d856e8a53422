#include "cube/cube_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

absl::Status OpenError(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(absl::StrCat("no such file '", path, "'"));
    case EACCES:
    case EPERM:
      return absl::FailedPreconditionError(
          absl::StrCat("no permission to read '", path, "'"));
    default:
      return absl::FailedPreconditionError(
          absl::StrCat("cannot open '", path, "': ", std::strerror(error)));
  }
}

// What a file that is not HDF5 is, by its first bytes.
absl::Status NotHdf5(const std::string& path, absl::string_view magic) {
  const std::string subject = absl::StrCat("'", path, "' is ");
  if (absl::StartsWith(magic, "CDF")) {
    return absl::InvalidArgumentError(absl::StrCat(
        subject,
        "a NetCDF-3 classic file, not NetCDF-4 or HDF5 (convert it with "
        "nccopy -k nc4 ",
        path, " OUT.nc)"));
  }
  if (absl::StartsWith(magic, "II*") || absl::StartsWith(magic, "MM")) {
    return absl::InvalidArgumentError(
        absl::StrCat(subject, "a TIFF image, not NetCDF-4 or HDF5"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(subject, "not a NetCDF-4 or HDF5 file"));
}

// Checks with plain system calls what libhdf5 says less clearly.
absl::Status CheckReadable(const std::string& path) {
  // Opening a pipe without a writer would wait.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OpenError(path, errno);
  struct stat info {};
  const bool known = fstat(fd, &info) == 0;
  const int stat_error = errno;
  std::array<char, 8> magic{};
  ssize_t got = 0;
  if (known && S_ISREG(info.st_mode)) {
    got = pread(fd, magic.data(), magic.size(), 0);
  }
  const int read_error = errno;
  close(fd);
  if (!known) return OpenError(path, stat_error);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is a folder, not a NetCDF-4 or HDF5 file"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is not a regular file"));
  }
  if (got < 0) return OpenError(path, read_error);
  if (info.st_size == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is an empty file"));
  }
  h5::Lock lock;
  if (H5Fis_hdf5(path.c_str()) > 0) return absl::OkStatus();
  return NotHdf5(path,
                 absl::string_view(magic.data(), static_cast<size_t>(got)));
}

}  // namespace

FileIdentity FileIdentity::Of(const struct stat& info) {
  const auto nanoseconds = [](const struct timespec& time) {
    return int64_t{time.tv_sec} * 1000000000 + int64_t{time.tv_nsec};
  };
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .bytes = info.st_size,
          .mtime_ns = nanoseconds(info.st_mtim),
          .ctime_ns = nanoseconds(info.st_ctim)};
}

CubeFile::~CubeFile() {
  h5::Lock lock;
  file.reset();
}

absl::Status CubeFile::CheckUnchanged() const {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", path, "' has gone since it was opened: ", std::strerror(errno)));
  }
  if (FileIdentity::Of(info) == identity) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("'", path, "' has changed since it was opened"));
}

absl::StatusOr<std::unique_ptr<CubeFile>> OpenCubeFile(
    const std::string& path) {
  INTERNODE_RETURN_IF_ERROR(CheckReadable(path));
  auto cube_file = std::make_unique<CubeFile>();
  cube_file->path = path;
  h5::File file;
  struct stat info {};
  {
    h5::Lock lock;
    absl::StatusOr<h5::File> opened = h5::OpenForReading(path);
    if (!opened.ok()) {
      return absl::Status(opened.status().code(),
                          absl::StrCat("cannot open '", path,
                                       "': ", opened.status().message()));
    }
    // The state of the very file that the library holds.
    void* handle = nullptr;
    if (H5Fget_vfd_handle(opened->get(), H5P_DEFAULT, &handle) < 0 ||
        fstat(*static_cast<int*>(handle), &info) != 0) {
      return h5::Error(absl::StatusCode::kInternal,
                       absl::StrCat("cannot examine '", path, "'"));
    }
    INTERNODE_ASSIGN_OR_RETURN(
        cube_file->bytes, FileByteSource::Of(*static_cast<int*>(handle), path));
    cube_file->file = *std::move(opened);
  }
  cube_file->identity = FileIdentity::Of(info);
  return cube_file;
}

}  // namespace internode::cube
