#include "client/cli/scheduler_options.h"

#include <memory>
#include <string>

#include "absl/time/time.h"

#include "base/status_macros.h"

namespace internode::cli {

absl::StatusOr<int> WithScheduler(
    const ExecutorOptions& options,
    const std::function<absl::StatusOr<int>(Executor*)>& action) {
  ExecutorOptions connect = options;
  if (!connect.connects()) connect.scheduler = kDefaultSchedulerAddress;
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor,
                             MakeExecutor(connect));
  absl::StatusOr<int> exit_code = action(executor.get());
  CloseExecutor(executor.get());
  return exit_code;
}

std::string TimeText(int64_t ns) {
  if (ns == 0) return "-";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixNanos(ns),
                          absl::UTCTimeZone());
}

Json TimeJson(int64_t ns) { return ns == 0 ? Json() : Json(TimeText(ns)); }

}  // namespace internode::cli
