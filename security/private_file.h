#ifndef INTERNODE_SECURITY_PRIVATE_FILE_H_
#define INTERNODE_SECURITY_PRIVATE_FILE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Small files that only their owner may read: keys, tokens.

namespace internode::security {

// All of a small file. Errors: kNotFound, kPermissionDenied, kInvalidArgument
// (a folder or device, or larger than 1 MiB).
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// Whether a file is to be there after a failure of the machine.
enum class Sync { kYes, kNo };

// Writes the file with mode 0600, whole or not at all, in place of what is
// there. Errors: the file system's.
absl::Status WritePrivateFile(const std::string& path,
                              absl::string_view content,
                              Sync sync = Sync::kYes);
// Error (kAlreadyExists): it is there.
absl::Status WriteNewPrivateFile(const std::string& path,
                                 absl::string_view content);

// Runs `change` on the file's content ("" if there is none), and writes what it
// makes of it; nobody else who comes through here changes it meanwhile.
absl::Status ChangePrivateFile(
    const std::string& path,
    absl::FunctionRef<absl::Status(std::string* content)> change);

// Makes the folder with mode 0700 unless it is there.
absl::Status MakePrivateFolder(const std::string& path);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_PRIVATE_FILE_H_
