#include "scheduler/spool/state_lock.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::scheduler {

absl::StatusOr<std::unique_ptr<FileLock>> LockStateDir(
    FileSystem* file_system, const std::string& state_dir) {
  INTERNODE_RETURN_IF_ERROR(EnsureFolder(file_system, state_dir));
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      file_system->Lock(absl::StrCat(state_dir, "/lock"));
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("another scheduler uses the state folder '", state_dir,
                     "'; stop it, or give this one a folder of its own"));
  }
  return lock;
}

}  // namespace internode::scheduler
