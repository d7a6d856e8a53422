#ifndef INTERNODE_CLIENT_CLI_COMMAND_H_
#define INTERNODE_CLIENT_CLI_COMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "client/cli/options.h"

// The command `internode`: a tree of CLI11 apps. Each subcommand is a file,
// whose Add…Command declares its options and, when it is parsed, sets the
// action that main runs.

namespace internode::cli {

enum class OutputFormat { kTable, kJson, kQuiet };

// The options that every command takes.
struct GlobalOptions {
  std::string output = "table";
  VerbosityOptions verbosity;
  std::string log_level;
  std::string log_format = "text";

  OutputFormat output_format() const;
};

// Runs the command that was parsed; returns its exit code.
using Action = std::function<absl::StatusOr<int>()>;

struct CommandLine {
  GlobalOptions global;
  bool version = false;
  Action action;
};

void AddGlobalOptions(CLI::App* app, GlobalOptions* options);

// A subcommand of `parent` with the global options, help in our form and
// examples at its end.
CLI::App* AddCommand(CLI::App* parent, CommandLine* line,
                     const std::string& name, const std::string& summary,
                     const std::string& examples);

void AddRunCommand(CLI::App* root, CommandLine* line);
void AddChunksCommand(CLI::App* root, CommandLine* line);
void AddCubeCommand(CLI::App* root, CommandLine* line);
void AddCubeCheckCommand(CLI::App* group, CommandLine* line);
void AddCubeRechunkCommand(CLI::App* group, CommandLine* line);
void AddFunctionsCommand(CLI::App* root, CommandLine* line);
void AddSegmentsCommand(CLI::App* root, CommandLine* line);
void AddSegmentsPixelCommand(CLI::App* group, CommandLine* line);
void AddSimulateCommand(CLI::App* root, CommandLine* line);
void AddInfoCommand(CLI::App* root, CommandLine* line);
void AddJobCommand(CLI::App* root, CommandLine* line);
void AddWorkerCommand(CLI::App* root, CommandLine* line);
void AddLaunchCommand(CLI::App* root, CommandLine* line);
void AddHealthcheckCommand(CLI::App* root, CommandLine* line);
void AddTlsCommand(CLI::App* root, CommandLine* line);
void AddTokenCommand(CLI::App* root, CommandLine* line);
void AddBenchCommand(CLI::App* root, CommandLine* line);
void AddBenchReadCommand(CLI::App* group, CommandLine* line);
void AddCompletionCommand(CLI::App* root, CommandLine* line);

// The whole tree.
void BuildApp(CLI::App* root, CommandLine* line);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_COMMAND_H_
