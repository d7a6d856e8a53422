#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/scheduler_options.h"
#include "internode/cluster.h"

namespace internode::cli {
namespace {

struct WorkerArguments {
  ExecutorOptions scheduler;
  std::string id;
};

Json WorkerJson(const WorkerStatus& worker) {
  return {{"id", worker.id},
          {"name", worker.name},
          {"host", worker.host},
          {"pid", worker.pid},
          {"state", worker.state},
          {"cores", worker.cores},
          {"memory_limit_bytes", worker.memory_limit_bytes},
          {"memory_bytes", worker.memory_bytes},
          {"tasks_done", worker.tasks_done},
          {"tasks_leased", worker.tasks_leased},
          {"joined", TimeJson(worker.joined_ns)},
          {"heard", TimeJson(worker.heard_ns)}};
}

absl::StatusOr<int> List(Executor* executor, OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<WorkerStatus> workers,
                             ListWorkers(executor));
  if (format == OutputFormat::kJson) {
    Json list = Json::array();
    for (const WorkerStatus& worker : workers) {
      list.push_back(WorkerJson(worker));
    }
    PrintJson({{"schema", 1}, {"workers", list}});
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"WORKER", "NAME", "HOST", "STATE", "CORES", "MEMORY", "DONE", "LEASED"}};
  for (const WorkerStatus& worker : workers) {
    rows.push_back(
        {worker.id, worker.name, worker.host, worker.state,
         absl::StrCat(worker.cores), FormatBytes(worker.memory_bytes),
         absl::StrCat(worker.tasks_done), absl::StrCat(worker.tasks_leased)});
  }
  if (format == OutputFormat::kTable) {
    std::fputs(TableText(rows).c_str(), stdout);
  }
  return 0;
}

absl::StatusOr<int> Drain(Executor* executor, const std::string& id,
                          OutputFormat format) {
  INTERNODE_RETURN_IF_ERROR(DrainWorker(executor, id));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"worker", id}, {"draining", true}});
  } else if (format == OutputFormat::kTable) {
    std::printf("worker %s finishes what it runs and leaves\n", id.c_str());
  }
  return 0;
}

}  // namespace

void AddWorkerCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(root, line, "worker",
                               "Look at the workers of a scheduler", "");
  group->require_subcommand(1);
  auto arguments = std::make_shared<WorkerArguments>();

  CLI::App* list = AddCommand(group, line, "list", "List the workers",
                              "  internode worker list --scheduler node1:8786");
  AddSchedulerOptions(list, &arguments->scheduler);
  list->callback([arguments, line] {
    line->action = [arguments, line] {
      return WithScheduler(arguments->scheduler, [line](Executor* executor) {
        return List(executor, line->global.output_format());
      });
    };
  });

  CLI::App* drain = AddCommand(
      group, line, "drain", "Let a worker finish what it runs and leave",
      "  internode worker drain w2 --scheduler node1:8786");
  drain->add_option("WORKER", arguments->id, "Its id; see worker list")
      ->required();
  AddSchedulerOptions(drain, &arguments->scheduler);
  drain->callback([arguments, line] {
    line->action = [arguments, line] {
      return WithScheduler(
          arguments->scheduler, [arguments, line](Executor* executor) {
            return Drain(executor, arguments->id, line->global.output_format());
          });
    };
  });
}

}  // namespace internode::cli
