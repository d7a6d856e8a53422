#include "cube/piece_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"

namespace internode::cube {
namespace {

class MemoryStore final : public PieceStore {
 public:
  explicit MemoryStore(std::unique_ptr<std::byte[]> bytes)
      : bytes_(std::move(bytes)) {}

  absl::Status Write(int64_t offset,
                     absl::Span<const std::byte> bytes) override {
    std::memcpy(bytes_.get() + offset, bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status Read(int64_t offset, absl::Span<std::byte> bytes) override {
    std::memcpy(bytes.data(), bytes_.get() + offset, bytes.size());
    return absl::OkStatus();
  }

 private:
  const std::unique_ptr<std::byte[]> bytes_;
};

absl::Status ScratchError(const std::string& folder, int64_t bytes, int error) {
  const std::string message =
      absl::StrCat("cannot make a scratch file of ", FormatBytes(bytes),
                   " in '", folder, "': ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::InvalidArgumentError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(
          absl::StrCat(message,
                       "; name another folder with --scratch-dir, or "
                       "allow more memory with --memory-limit"));
    default:
      return absl::FailedPreconditionError(message);
  }
}

class ScratchStore final : public PieceStore {
 public:
  ScratchStore(std::string folder, int64_t bytes, int fd)
      : folder_(std::move(folder)), bytes_(bytes), fd_(fd) {}
  ~ScratchStore() override { close(fd_); }
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  absl::Status Write(int64_t offset,
                     absl::Span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return ScratchError(folder_, bytes_, errno);
      bytes.remove_prefix(static_cast<size_t>(done));
      offset += done;
    }
    return absl::OkStatus();
  }

  absl::Status Read(int64_t offset, absl::Span<std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = pread(fd_, bytes.data(), bytes.size(), offset);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return ScratchError(folder_, bytes_, errno);
      if (done == 0) return ScratchError(folder_, bytes_, EIO);
      bytes.remove_prefix(static_cast<size_t>(done));
      offset += done;
    }
    return absl::OkStatus();
  }

 private:
  const std::string folder_;
  const int64_t bytes_;
  const int fd_;
};

// A file without a name; -1 and errno where there can be none.
int OpenNameless(const std::string& folder) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return fd;
  }
  // File systems that know files by name only.
  std::string name = absl::StrCat(folder, "/.internode-scratch-XXXXXX");
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PieceStore>> NewMemoryStore(int64_t bytes) {
  // Not set to zero: each byte is written before it is read.
  std::unique_ptr<std::byte[]> memory(
      new (std::nothrow) std::byte[static_cast<size_t>(bytes)]);
  if (memory == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "no memory for ", FormatBytes(bytes), "; lower --memory-limit"));
  }
  return std::make_unique<MemoryStore>(std::move(memory));
}

absl::StatusOr<std::unique_ptr<PieceStore>> NewScratchStore(
    const std::string& folder, int64_t bytes) {
  const int fd = OpenNameless(folder);
  if (fd < 0) return ScratchError(folder, bytes, errno);
  auto store = std::make_unique<ScratchStore>(folder, bytes, fd);
  int error = 0;
  do {
    error = posix_fallocate(fd, 0, bytes);
  } while (error == EINTR);
  if (error != 0) return ScratchError(folder, bytes, error);
  return store;
}

}  // namespace internode::cube
