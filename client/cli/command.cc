#include "client/cli/command.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace internode::cli {

OutputFormat GlobalOptions::output_format() const {
  if (output == "json") return OutputFormat::kJson;
  if (output == "quiet") return OutputFormat::kQuiet;
  return OutputFormat::kTable;
}

void AddGlobalOptions(CLI::App* app, GlobalOptions* options) {
  constexpr char kGroup[] = "Common options";
  app->set_help_flag("-h,--help", "Print this help and exit")->group(kGroup);
  app->add_option("--output", options->output,
                  "What is printed: table, json, quiet")
      ->check(CLI::IsMember({"table", "json", "quiet"}))
      ->type_name("FORMAT")
      ->group(kGroup);
  AddVerbosityOptions(app, &options->verbosity);
  app->get_option("-v")->group(kGroup);
  app->get_option("-q")->group(kGroup);
  app->add_option("--log-level", options->log_level,
                  "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->type_name("LEVEL")
      ->group(kGroup);
  app->add_option("--log-format", options->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->group(kGroup);
}

CLI::App* AddCommand(CLI::App* parent, CommandLine* line,
                     const std::string& name, const std::string& summary,
                     const std::string& examples) {
  CLI::App* command = parent->add_subcommand(name, summary);
  AddGlobalOptions(command, &line->global);
  if (!examples.empty()) command->footer(absl::StrCat("Examples:\n", examples));
  return command;
}

void BuildApp(CLI::App* root, CommandLine* line) {
  root->description(
      "Runs a function over every pixel of a cube of observations");
  AddGlobalOptions(root, &line->global);
  root->add_flag("--version", line->version, "Print the version and exit");
  root->footer(
      "Examples:\n"
      "  internode simulate cube.nc --size y=120,x=120\n"
      "  internode run harmonic cube.nc -o segments.nc\n"
      "  internode segments info segments.nc\n"
      "Every option --some-flag can be set by the environment variable "
      "INTERNODE_SOME_FLAG.");
  AddRunCommand(root, line);
  AddChunksCommand(root, line);
  AddCubeCommand(root, line);
  AddFunctionsCommand(root, line);
  AddSegmentsCommand(root, line);
  AddSimulateCommand(root, line);
  AddInfoCommand(root, line);
  AddJobCommand(root, line);
  AddWorkerCommand(root, line);
  AddLaunchCommand(root, line);
  AddHealthcheckCommand(root, line);
  AddTlsCommand(root, line);
  AddTokenCommand(root, line);
  AddBenchCommand(root, line);
  AddCompletionCommand(root, line);
  root->require_subcommand(0, 1);
  SetEnvironmentNames(root, "INTERNODE_");
}

}  // namespace internode::cli
