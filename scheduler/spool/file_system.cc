#include "scheduler/spool/file_system.h"

#include "base/status_macros.h"

namespace internode::scheduler {

absl::Status EnsureFolder(FileSystem* file_system, const std::string& path) {
  const absl::Status created = file_system->CreateFolder(path);
  if (absl::IsAlreadyExists(created)) return absl::OkStatus();
  INTERNODE_RETURN_IF_ERROR(created);
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return file_system->SyncFolder(".");
  return file_system->SyncFolder(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace internode::scheduler
