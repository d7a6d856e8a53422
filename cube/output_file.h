#ifndef INTERNODE_CUBE_OUTPUT_FILE_H_
#define INTERNODE_CUBE_OUTPUT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode::cube {

// A file that comes into being whole or not at all. It is written as
// PATH.partial, and becomes PATH by a rename in Commit, after everything has
// reached the disk; whatever kills the process before leaves at most
// PATH.partial, which the next run to PATH replaces.
//
// PATH.partial is locked (flock) as long as the OutputFile lives, so that a
// second run to the same PATH is refused instead of mixed in. A file system
// without flock gives no such protection.
//
// Failures of single writes are remembered, not returned at once: the HDF5
// library, which cannot close a file whose writes fail, writes through this
// class, and the first failure is what status() and Commit() report.
//
// Thread-compatible.
class OutputFile {
 public:
  // Errors: kAlreadyExists, PATH exists and `overwrite` is false;
  // kInvalidArgument, PATH cannot be a file (its folder is missing, or is not
  // a folder; PATH is a folder); kFailedPrecondition, no permission to write
  // there, or another run is writing to PATH.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(
      absl::string_view path, bool overwrite);

  // Removes PATH.partial unless Commit succeeded.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }

  // The first failure, or OK. kResourceExhausted when the disk or a quota is
  // full.
  const absl::Status& status() const { return status_; }

  void WriteAt(uint64_t offset, const void* data, size_t size);
  // Bytes beyond the end of the file read as zeros.
  void ReadAt(uint64_t offset, void* data, size_t size);
  // Makes the file `size` bytes long.
  void Truncate(uint64_t size);

  // Brings the file to the disk and renames it to PATH. After a failure PATH
  // is as it was before.
  absl::Status Commit();

 private:
  OutputFile(std::string path, bool overwrite)
      : path_(std::move(path)),
        partial_path_(path_ + ".partial"),
        overwrite_(overwrite) {}

  absl::Status OpenPartial();
  absl::Status Rename();
  absl::Status SyncFolder();
  // Remembers the failure `error` (an errno) unless there was one before.
  void Fail(int error);

  const std::string path_;
  const std::string partial_path_;
  const bool overwrite_;
  int fd_ = -1;
  bool committed_ = false;
  absl::Status status_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_OUTPUT_FILE_H_
