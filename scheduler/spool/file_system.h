#ifndef INTERNODE_SCHEDULER_SPOOL_FILE_SYSTEM_H_
#define INTERNODE_SCHEDULER_SPOOL_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The face of the file system that the spool sees, so that tests can put one in
// its place that fails or forgets. Errors everywhere: kResourceExhausted (no
// room, or a quota), kNotFound, kAlreadyExists, kPermissionDenied (also:
// read-only), kUnavailable (all else; the device fails).

namespace internode::scheduler {

// A file that grows at its end. Thread-compatible.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // Appends some of `bytes`, from their start, and returns how many: at least
  // one, if there are any.
  virtual absl::StatusOr<int64_t> Append(absl::string_view bytes) = 0;
  // Cuts the file to `size` bytes; what is appended then follows them.
  virtual absl::Status Truncate(int64_t size) = 0;
  // Makes what the file holds survive a failure of the machine.
  virtual absl::Status Sync() = 0;
};

// Thread-safe.
class ReadFile {
 public:
  virtual ~ReadFile() = default;

  // Reads `size` bytes from `offset` on into `buffer` and returns how many
  // there were: fewer only where the file ends.
  virtual absl::StatusOr<int64_t> ReadAt(int64_t offset, int64_t size,
                                         char* buffer) const = 0;
};

// Held as long as it lives, and until the process ends at the most.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // A new, empty file. kAlreadyExists: there is something of that name.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> Create(
      const std::string& path) = 0;
  virtual absl::StatusOr<std::shared_ptr<const ReadFile>> Open(
      const std::string& path) = 0;
  virtual absl::StatusOr<int64_t> Size(const std::string& path) = 0;
  virtual absl::Status Truncate(const std::string& path, int64_t size) = 0;
  // As AppendFile::Sync, of a file that is not being written.
  virtual absl::Status Sync(const std::string& path) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;

  // With permissions for the owner alone. kAlreadyExists: it exists.
  virtual absl::Status CreateFolder(const std::string& path) = 0;
  virtual absl::Status RemoveFolder(const std::string& path) = 0;
  // The names in a folder, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) = 0;
  // Makes the names in the folder survive a failure of the machine.
  virtual absl::Status SyncFolder(const std::string& path) = 0;
  // What may still be written below `path`.
  virtual absl::StatusOr<int64_t> FreeBytes(const std::string& path) = 0;

  // Locks the file, which is created if need be, against every other process,
  // and every other call. kFailedPrecondition: it is locked.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) = 0;
};

// The machine's. Never destroyed.
FileSystem* PosixFileSystem();

// Creates the folder `path` if there is none, and makes its name durable. Its
// parent must exist. Errors: the file system's.
absl::Status EnsureFolder(FileSystem* file_system, const std::string& path);

// The status of a call on `path` that failed with `error_number`:
// "cannot write '/a/b': No space left on device".
absl::Status FileError(int error_number, absl::string_view action,
                       absl::string_view path);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_FILE_SYSTEM_H_
