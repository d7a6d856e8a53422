#include "cube/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace internode::cube {

absl::StatusOr<std::unique_ptr<FileByteSource>> FileByteSource::Of(
    int descriptor, absl::string_view path) {
  const int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot read '", path, "': ", std::strerror(errno)));
  }
  std::unique_ptr<FileByteSource> source(
      new FileByteSource(duplicate, std::string(path)));
  struct stat info {};
  if (fstat(duplicate, &info) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot examine '", path, "': ", std::strerror(errno)));
  }
  source->size_ = static_cast<uint64_t>(info.st_size);
  return source;
}

FileByteSource::~FileByteSource() { close(descriptor_); }

absl::Status FileByteSource::ReadAt(uint64_t offset,
                                    absl::Span<std::byte> bytes) const {
  if (offset > size_ || bytes.size() > size_ - offset) {
    return absl::DataLossError(absl::StrCat("'", path_, "' has ", size_,
                                            " bytes, but ", bytes.size(),
                                            " are wanted at offset ", offset));
  }
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        pread(descriptor_, bytes.data() + done, bytes.size() - done,
              static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return absl::UnavailableError(absl::StrCat("cannot read '", path_,
                                                 "' at offset ", offset + done,
                                                 ": ", std::strerror(errno)));
    }
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat("'", path_, "' has become shorter than ", size_,
                       " bytes since it was opened"));
    }
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

void FileByteSource::WillRead(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return;
  // A hint: where it is not understood, the read comes all the same.
  posix_fadvise(descriptor_, static_cast<off_t>(offset),
                static_cast<off_t>(std::min(length, size_ - offset)),
                POSIX_FADV_WILLNEED);
}

}  // namespace internode::cube
