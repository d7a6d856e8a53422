#ifndef INTERNODE_CUBE_BYTE_SOURCE_H_
#define INTERNODE_CUBE_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace internode::cube {

// The bytes of one file, wherever it lies. All that is read of a file without
// the HDF5 library goes through here. Thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Of the file when it was opened.
  virtual uint64_t size() const = 0;

  // Fills `bytes` with those at `offset`. Errors: kDataLoss, the file ends
  // before; kUnavailable, the system cannot read it.
  virtual absl::Status ReadAt(uint64_t offset,
                              absl::Span<std::byte> bytes) const = 0;

  // That the range will soon be read. It may reach beyond the end.
  virtual void WillRead(uint64_t offset, uint64_t length) const = 0;
};

// A file of this machine or of a file system that it has mounted.
class FileByteSource final : public ByteSource {
 public:
  // Reads the open file `descriptor` through a duplicate, which is closed with
  // the source; its own position is left alone. `path` is for messages. A
  // lock on the file (flock) lasts as long as the last duplicate. Errors:
  // kUnavailable.
  static absl::StatusOr<std::unique_ptr<FileByteSource>> Of(
      int descriptor, absl::string_view path);
  ~FileByteSource() override;
  FileByteSource(const FileByteSource&) = delete;
  FileByteSource& operator=(const FileByteSource&) = delete;

  // For fstat; open as long as the source.
  int descriptor() const { return descriptor_; }

  uint64_t size() const override { return size_; }
  absl::Status ReadAt(uint64_t offset,
                      absl::Span<std::byte> bytes) const override;
  void WillRead(uint64_t offset, uint64_t length) const override;

 private:
  FileByteSource(int descriptor, std::string path)
      : descriptor_(descriptor), path_(std::move(path)) {}

  const int descriptor_;
  const std::string path_;
  uint64_t size_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BYTE_SOURCE_H_
