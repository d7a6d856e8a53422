#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "absl/status/status.h"

#include "base/heap.h"
#include "base/lock_checks.h"
#include "base/log.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/parse_error.h"
#include "client/cli/report.h"
#include "internode/version.h"
#include "rpc/grpc_log.h"

namespace internode::cli {
namespace {

int PrintVersion(const GlobalOptions& global) {
  if (global.output_format() == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"version", std::string(Version())}});
  } else {
    std::printf("internode %s\n", std::string(Version()).c_str());
  }
  return 0;
}

// Whether JSON is asked for on a command line that cannot be parsed.
bool WantsJson(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--output=json") return true;
    if (arg == "--output" && i + 1 < argc) {
      return std::string(argv[i + 1]) == "json";
    }
  }
  const char* output = std::getenv("INTERNODE_OUTPUT");
  return output != nullptr && std::string(output) == "json";
}

void StartLog(const GlobalOptions& global) {
  LogOptions options;
  options.level = global.verbosity.level() > 0     ? LogLevel::kDebug
                  : global.verbosity.level() == 0  ? LogLevel::kInfo
                  : global.verbosity.level() == -1 ? LogLevel::kWarning
                                                   : LogLevel::kError;
  if (!global.log_level.empty()) {
    ParseLogLevel(global.log_level, &options.level).IgnoreError();
  }
  options.format =
      global.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  ConfigureLog(options);
  rpc::SendGrpcLogToDebug();
}

int RunAction(const CommandLine& line) {
  StartLog(line.global);
  const absl::StatusOr<int> exit_code = line.action();
  if (exit_code.ok()) return *exit_code;
  PrintError(exit_code.status(),
             line.global.output_format() == OutputFormat::kJson);
  if (Interrupt::signal() != 0) return 128 + Interrupt::signal();
  return ExitCodeOf(exit_code.status());
}

int Main(int argc, char** argv) {
  SkipLockOrderChecks();
  KeepFreedMemory();
  CommandLine line;
  CLI::App root("", "internode");
  BuildApp(&root, &line);
  try {
    root.parse(JoinExecutorArguments(argc, argv));
  } catch (const CLI::CallForHelp& help) {
    return root.exit(help);
  } catch (const CLI::ParseError& error) {
    PrintError(ParseErrorStatus(root, error), WantsJson(argc, argv));
    return 2;
  }
  if (line.version) return PrintVersion(line.global);
  if (line.action == nullptr) {
    PrintError(absl::InvalidArgumentError(
                   "internode needs a command; see internode --help"),
               WantsJson(argc, argv));
    return 2;
  }
  return RunAction(line);
}

}  // namespace
}  // namespace internode::cli

int main(int argc, char** argv) {
  try {
    return internode::cli::Main(argc, argv);
  } catch (const std::exception& e) {
    internode::cli::PrintError(absl::InternalError(e.what()), false);
    return 1;
  }
}
