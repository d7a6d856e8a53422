#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/scheduler_options.h"
#include "internode/cluster.h"

namespace internode::cli {
namespace {

struct InfoArguments {
  ExecutorOptions executor;
  bool no_ip = false;
  bool no_dashboard = false;
  bool no_stats = false;
};

Json ClusterJson(const ClusterStatus& status) {
  return {
      {"schema", 1},
      {"scheduler", status.address.empty() ? Json() : Json(status.address)},
      {"host", status.host},
      {"dashboard", status.dashboard.empty() ? Json() : Json(status.dashboard)},
      {"workers", status.workers},
      {"cores", status.cores},
      {"memory_bytes", status.memory_bytes},
      {"version", status.version},
      {"started", TimeJson(status.started_ns)},
      {"not_ready",
       status.not_ready.empty() ? Json() : Json(status.not_ready)}};
}

absl::StatusOr<int> Show(Executor* executor, const InfoArguments& arguments,
                         OutputFormat format) {
  if (format == OutputFormat::kJson) {
    INTERNODE_ASSIGN_OR_RETURN(const ClusterStatus status,
                               GetCluster(executor));
    PrintJson(ClusterJson(status));
    return 0;
  }
  ExecutorInfoOptions options;
  options.ip = !arguments.no_ip;
  options.dashboard = !arguments.no_dashboard;
  options.stats = !arguments.no_stats;
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                             ExecutorInfo(executor, options));
  if (format == OutputFormat::kQuiet) return 0;
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
  return 0;
}

// Without any option: the scheduler at the usual address.
bool NamesExecutor(const ExecutorOptions& options) {
  return options.nprocs.has_value() || options.nthreads.has_value() ||
         !options.executor.empty();
}

absl::StatusOr<int> RunInfo(const InfoArguments& arguments,
                            OutputFormat format) {
  const auto show = [&](Executor* executor) {
    return Show(executor, arguments, format);
  };
  if (!NamesExecutor(arguments.executor)) {
    return WithScheduler(arguments.executor, show);
  }
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor,
                             MakeExecutor(arguments.executor));
  absl::StatusOr<int> exit_code = show(executor.get());
  CloseExecutor(executor.get());
  return exit_code;
}

}  // namespace

void AddInfoCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command =
      AddCommand(root, line, "info", "Describe a scheduler and its workers",
                 "  internode info --scheduler node1:8786\n"
                 "  internode info --nprocs 2 --nthreads 2\n"
                 "Without options it is the scheduler at 127.0.0.1:8786.");
  auto arguments = std::make_shared<InfoArguments>();
  command->add_flag("--no-ip", arguments->no_ip,
                    "Leave out the lines Scheduler and Host");
  command->add_flag("--no-dashboard", arguments->no_dashboard,
                    "Leave out the line Dashboard");
  command->add_flag("--no-stats", arguments->no_stats,
                    "Leave out the lines Workers, Cores and Memory");
  AddExecutorOptions(command, &arguments->executor);
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunInfo(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
