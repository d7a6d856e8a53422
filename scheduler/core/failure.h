#ifndef INTERNODE_SCHEDULER_CORE_FAILURE_H_
#define INTERNODE_SCHEDULER_CORE_FAILURE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/ids.h"

namespace internode::scheduler::core {

// One thing that went wrong with a task, without ending it.
struct Happening {
  enum class Kind {
    // The worker reported an error of the task.
    kFailed,
    // The process died while the task, perhaps beside others, was running.
    kProcessDied,
  };

  absl::Time when;
  WorkerId worker;
  Kind kind = Kind::kFailed;
  // At most kMostMessageBytes.
  std::string message;

  friend bool operator==(const Happening&, const Happening&) = default;
};

// Consecutive tasks that failed for good, for one reason.
struct TaskFailure {
  enum class Kind {
    // An error that a retry would not mend, or once too often.
    kError,
    // Processes died while running it, as often as is allowed.
    kPoisonous,
  };

  Interval tasks;
  Kind kind = Kind::kError;
  std::string message;
  // Where it happened last.
  WorkerId worker;
  // What went before, oldest first; at most kMostHappenings.
  std::vector<Happening> history;

  friend bool operator==(const TaskFailure&, const TaskFailure&) = default;
};

inline constexpr size_t kMostMessageBytes = 1024;
inline constexpr size_t kMostHappenings = 8;

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_FAILURE_H_
