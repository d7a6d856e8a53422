#ifndef INTERNODE_CLIENT_CLI_SCHEDULER_OPTIONS_H_
#define INTERNODE_CLIENT_CLI_SCHEDULER_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "client/cli/command.h"
#include "client/cli/options.h"
#include "client/cli/report.h"
#include "internode/executor.h"

namespace internode::cli {

inline constexpr char kDefaultSchedulerAddress[] = "127.0.0.1:8786";

// Connects to the scheduler that `options` name, by default the one at
// 127.0.0.1:8786, and gives it to `action`, whose exit code is returned.
absl::StatusOr<int> WithScheduler(
    const ExecutorOptions& options,
    const std::function<absl::StatusOr<int>(Executor*)>& action);

// Nanoseconds since 1970 as ISO 8601, in UTC; null for 0.
Json TimeJson(int64_t ns);
// The same for people; "-" for 0.
std::string TimeText(int64_t ns);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_SCHEDULER_OPTIONS_H_
