#ifndef INTERNODE_CLIENT_CLI_OPTIONS_H_
#define INTERNODE_CLIENT_CLI_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "internode/cluster.h"
#include "internode/executor.h"

// Groups of command line options that a program adds to its CLI11 app, with
// the meaning that they have in the command `internode` and in stems:
//
//   CLI::App app;
//   internode::cli::ExecutorOptions executor_options;
//   internode::cli::AddExecutorOptions(&app, &executor_options);
//   internode::cli::SetEnvironmentNames(&app, "MYPROGRAM_");
//   std::vector<std::string> args =
//       internode::cli::JoinExecutorArguments(argc, argv);
//   CLI11_PARSE(app, args);
//   auto executor = internode::cli::MakeExecutor(executor_options);
//
// Installed as internode/cli_options.h with the target Internode::cli_options:
// the one public header that needs another library than Abseil (CLI11).
//
// The structs must live as long as the app.

namespace internode::cli {

// --scheduler ADDRESS, --scheduler-file FILE, with --tls-… and --token-file |
// --nprocs N, --nthreads N |
// --executor KIND [VALUE]. A scheduler comes before a local cluster.
struct ExecutorOptions {
  // Workers to create: a local cluster.
  std::optional<int> nprocs;
  // Threads per worker; without --nprocs and --scheduler, of this process.
  std::optional<int> nthreads;
  // Connect there.
  std::string scheduler;
  // Or where that file, which internode-scheduler writes, says.
  std::string scheduler_file;
  // How to connect there: SetupOptions says what they are.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_name;
  std::string token_file;
  // KIND, and VALUE if given, with a comma or space between them.
  std::vector<std::string> executor;
  // What is used when none of the options is given.
  ExecutorKind default_kind = ExecutorKind::kSync;
  // Folders of shared libraries with functions, for the workers of a local
  // cluster; no option of its own.
  std::vector<std::string> function_path;

  // Whether the values name a scheduler that runs already.
  bool connects() const;
};
void AddExecutorOptions(CLI::App* app, ExecutorOptions* options);

// --scheduler, --scheduler-file, --tls-ca, --tls-cert, --tls-key, --tls-name
// and --token-file alone.
void AddSchedulerOptions(CLI::App* app, ExecutorOptions* options);

// What they say about the scheduler to connect to.
SetupOptions SetupOptionsOf(const ExecutorOptions& options);

// The executor that the parsed values ask for, connected. Errors
// (kInvalidArgument) name the option and what is supported; others are those
// of SetupExecutor.
absl::StatusOr<std::unique_ptr<Executor>> MakeExecutor(
    const ExecutorOptions& options);

// At a program's end: closes the executor within 10 s. An error is logged, at
// debug level, and goes no further.
void CloseExecutor(Executor* executor);

// The arguments of main, without the program's name, in the reversed order
// that CLI::App::parse(std::vector) takes; KIND and VALUE of --executor made
// one word. CLI11 cannot tell VALUE from a positional argument that follows;
// here it is VALUE if it is a number or host:port.
std::vector<std::string> JoinExecutorArguments(int argc,
                                               const char* const* argv);

// --job-id I, --job-total N: part I (from 1) of N.
struct JobPartOptions {
  int64_t job_id = 1;
  int64_t job_total = 1;

  // kInvalidArgument unless 1 <= job_id <= job_total.
  absl::Status Check() const;
};
void AddJobPartOptions(CLI::App* app, JobPartOptions* options);

// --bounds LEFT BOTTOM RIGHT TOP
struct BoundsOptions {
  struct Bounds {
    double left;
    double bottom;
    double right;
    double top;
  };
  std::vector<double> values;

  // Nothing when the option was not given. Errors (kInvalidArgument): left is
  // not below right, or bottom not below top.
  absl::StatusOr<std::optional<Bounds>> Get() const;
};
void AddBoundsOption(CLI::App* app, BoundsOptions* options);

// --date-format FORMAT, as strftime takes it.
struct DateFormatOptions {
  std::string format = "%Y-%m-%d";

  // Days since 1970-01-01 of a date in this format, or kInvalidArgument.
  absl::StatusOr<int64_t> ParseDay(const std::string& text) const;
};
void AddDateFormatOption(CLI::App* app, DateFormatOptions* options);

// --nodata V, --ndv V
struct NodataOptions {
  static constexpr double kDefault = -9999;

  std::optional<double> given;
  double value() const { return given.value_or(kDefault); }
};
void AddNodataOption(CLI::App* app, NodataOptions* options);

// -v and -q, counted.
struct VerbosityOptions {
  int verbose = 0;
  int quiet = 0;

  // 0 as the program is, above 0 more, below 0 less.
  int level() const { return verbose - quiet; }
};
void AddVerbosityOptions(CLI::App* app, VerbosityOptions* options);

// Lets every option --some-flag of `app` and its subcommands be set by the
// environment variable PREFIX + SOME_FLAG. Called after they were added.
void SetEnvironmentNames(CLI::App* app, const std::string& prefix);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_OPTIONS_H_
