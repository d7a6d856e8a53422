#ifndef INTERNODE_SCHEDULER_SPOOL_STATE_LOCK_H_
#define INTERNODE_SCHEDULER_SPOOL_STATE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "scheduler/spool/file_system.h"

namespace internode::scheduler {

// Takes `state_dir`, which is created if it does not exist (its parent must),
// for this process alone, for as long as the lock lives: two schedulers on one
// folder would destroy each other's files. Errors: kFailedPrecondition
// (another scheduler has it), and the file system's.
absl::StatusOr<std::unique_ptr<FileLock>> LockStateDir(
    FileSystem* file_system, const std::string& state_dir);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_STATE_LOCK_H_
