#include "client/cli/options.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "base/log.h"
#include "internode/cluster.h"

namespace internode::cli {
namespace {

constexpr char kExecutorGroup[] = "Executor";

// Whether `word` can be the VALUE of --executor: a count or an address.
bool IsExecutorValue(const std::string& word) {
  int64_t count = 0;
  if (absl::SimpleAtoi(word, &count)) return true;
  const size_t colon = word.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  return absl::SimpleAtoi(word.substr(colon + 1), &count);
}

// KIND [VALUE], the workers of a local cluster with their functions.
absl::StatusOr<std::unique_ptr<Executor>> MakeExecutorOfKind(
    const std::vector<std::string>& words, const ExecutorOptions& options) {
  const std::optional<std::string> value =
      words.size() == 2 ? std::make_optional(words[1]) : std::nullopt;
  int workers = 0;
  const absl::StatusOr<ExecutorKind> kind = ParseExecutorKind(words[0]);
  const bool local = kind.ok() &&
                     (*kind == ExecutorKind::kProcesses ||
                      *kind == ExecutorKind::kDistributed) &&
                     (!value.has_value() ||
                      (absl::SimpleAtoi(*value, &workers) && workers > 0));
  int64_t number = 0;
  SetupOptions setup;
  if (local) {
    setup.num_workers = workers;
    setup.function_path = options.function_path;
  } else if (kind.ok() && *kind == ExecutorKind::kDistributed &&
             !absl::SimpleAtoi(*value, &number)) {
    setup = SetupOptionsOf(options);
    setup.address = *value;
  } else {
    return internode::MakeExecutor(words[0], value);
  }
  return SetupExecutor(setup);
}

}  // namespace

void AddExecutorOptions(CLI::App* app, ExecutorOptions* options) {
  app->add_option("--nprocs", options->nprocs,
                  "Number of worker processes to create")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N")
      ->group(kExecutorGroup);
  app->add_option("--nthreads", options->nthreads,
                  "Threads per worker; without --nprocs and --scheduler, of "
                  "this process")
      ->check(CLI::Range(1, 4096))
      ->type_name("N")
      ->group(kExecutorGroup);
  AddSchedulerOptions(app, options);
  app->add_option("--executor", options->executor,
                  "Where the work runs: sync, threads [N], processes [N], "
                  "distributed [N|host:port]")
      // One word, because CLI11 would take the next positional for VALUE: see
      // JoinExecutorArguments.
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("KIND [VALUE]")
      ->group(kExecutorGroup);
}

void AddSchedulerOptions(CLI::App* app, ExecutorOptions* options) {
  app->add_option("--scheduler", options->scheduler,
                  "Connect to the scheduler at ADDRESS (host:port)")
      ->type_name("ADDRESS")
      ->group(kExecutorGroup);
  app->add_option("--scheduler-file", options->scheduler_file,
                  "Connect to the scheduler that wrote FILE")
      ->type_name("FILE")
      ->group(kExecutorGroup);
  const auto add = [app](const char* name, std::string* value, const char* help,
                         const char* type) {
    app->add_option(name, *value, help)->type_name(type)->group(kExecutorGroup);
  };
  add("--tls-ca", &options->tls_ca,
      "Connect by TLS to a scheduler with a certificate of this CA", "FILE");
  add("--tls-cert", &options->tls_cert, "Certificate to show to it", "FILE");
  add("--tls-key", &options->tls_key, "Its key", "FILE");
  add("--tls-name", &options->tls_name,
      "Name in its certificate (default: the host of its address)", "NAME");
  add("--token-file", &options->token_file, "File with the token to show to it",
      "FILE");
}

bool ExecutorOptions::connects() const {
  return !scheduler.empty() || !scheduler_file.empty();
}

SetupOptions SetupOptionsOf(const ExecutorOptions& options) {
  SetupOptions setup;
  setup.address = options.scheduler;
  setup.scheduler_file = options.scheduler_file;
  setup.tls_ca = options.tls_ca;
  setup.tls_cert = options.tls_cert;
  setup.tls_key = options.tls_key;
  setup.tls_name = options.tls_name;
  setup.token_file = options.token_file;
  return setup;
}

absl::StatusOr<std::unique_ptr<Executor>> MakeExecutor(
    const ExecutorOptions& options) {
  const bool by_count = options.nprocs.has_value() ||
                        options.nthreads.has_value() || options.connects();
  if (!options.executor.empty()) {
    if (by_count) {
      return absl::InvalidArgumentError(
          "--executor cannot be combined with --nprocs, --nthreads or "
          "--scheduler; give one or the others");
    }
    // From the environment, or joined, both come as one word.
    const std::vector<std::string> words =
        absl::StrSplit(absl::StrJoin(options.executor, " "),
                       absl::ByAnyChar(" ,"), absl::SkipEmpty());
    if (words.empty() || words.size() > 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("--executor takes KIND [VALUE], not '",
                       absl::StrJoin(options.executor, " "), "'"));
    }
    return MakeExecutorOfKind(words, options);
  }
  SetupOptions setup;
  if (options.connects()) return SetupExecutor(SetupOptionsOf(options));
  if (options.nprocs.has_value()) {
    setup.num_workers = *options.nprocs;
    setup.threads_per_worker = options.nthreads.value_or(1);
    setup.function_path = options.function_path;
    return SetupExecutor(setup);
  }
  if (options.nthreads.has_value()) {
    return Executor::Threads(*options.nthreads);
  }
  return internode::MakeExecutor(ExecutorKindName(options.default_kind));
}

void CloseExecutor(Executor* executor) {
  const absl::Status status = executor->Close(std::chrono::seconds(10));
  if (!status.ok()) LogDebug("closing the executor: ", status.message());
}

std::vector<std::string> JoinExecutorArguments(int argc,
                                               const char* const* argv) {
  std::vector<std::string> args;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    if (arg == "--") {
      args.insert(args.end(), argv + i, argv + argc);
      break;
    }
    if (arg == "--executor" && i + 1 < argc) {
      arg = absl::StrCat(arg, "=", argv[++i]);
      if (i + 1 < argc && IsExecutorValue(argv[i + 1])) {
        absl::StrAppend(&arg, ",", argv[++i]);
      }
    }
    args.push_back(std::move(arg));
  }
  std::reverse(args.begin(), args.end());
  return args;
}

void AddJobPartOptions(CLI::App* app, JobPartOptions* options) {
  app->add_option("--job-id,--job_id", options->job_id,
                  "Run only part I (from 1) of --job-total parts")
      ->type_name("I");
  app->add_option("--job-total,--job_total", options->job_total,
                  "Number of parts")
      ->type_name("N");
}

absl::Status JobPartOptions::Check() const {
  if (job_total < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--job-total is ", job_total, "; it must be at least 1"));
  }
  if (job_id < 1 || job_id > job_total) {
    return absl::InvalidArgumentError(
        absl::StrCat("--job-id is ", job_id,
                     "; it must be from 1 to --job-total, ", job_total));
  }
  return absl::OkStatus();
}

void AddBoundsOption(CLI::App* app, BoundsOptions* options) {
  app->add_option("--bounds", options->values,
                  "Bounds in the coordinates of the data")
      ->expected(4)
      ->type_name("LEFT BOTTOM RIGHT TOP");
}

absl::StatusOr<std::optional<BoundsOptions::Bounds>> BoundsOptions::Get()
    const {
  if (values.empty()) return std::nullopt;
  if (values.size() != 4) {
    return absl::InvalidArgumentError(
        "--bounds takes four numbers: left bottom right top");
  }
  const Bounds bounds = {values[0], values[1], values[2], values[3]};
  if (!(bounds.left < bounds.right) || !(bounds.bottom < bounds.top)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bounds ", absl::StrJoin(values, " "),
                     " is empty; the order is left bottom right top"));
  }
  return bounds;
}

void AddDateFormatOption(CLI::App* app, DateFormatOptions* options) {
  app->add_option("--date-format,--date_format", options->format,
                  "Format of dates, as strftime takes it")
      ->capture_default_str()
      ->type_name("FORMAT");
}

absl::StatusOr<int64_t> DateFormatOptions::ParseDay(
    const std::string& text) const {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is not a date of the format '", format, "'"));
  }
  return absl::ToCivilDay(time, absl::UTCTimeZone()) -
         absl::CivilDay(1970, 1, 1);
}

void AddNodataOption(CLI::App* app, NodataOptions* options) {
  app->add_option("--nodata,--ndv", options->given,
                  "Value that means 'no data'; by default -9999 where the "
                  "file declares none")
      ->type_name("V");
}

void AddVerbosityOptions(CLI::App* app, VerbosityOptions* options) {
  app->add_flag("-v,--verbose", options->verbose, "Say more; may be repeated");
  app->add_flag("-q,--quiet", options->quiet, "Say less; may be repeated");
}

void SetEnvironmentNames(CLI::App* app, const std::string& prefix) {
  for (CLI::Option* option : app->get_options()) {
    if (option->get_lnames().empty()) continue;
    std::string name = option->get_lnames().front();
    if (name == "help" || name == "version") continue;
    for (char& c : name) {
      c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    }
    option->envname(prefix + name);
  }
  for (CLI::App* subcommand : app->get_subcommands({})) {
    SetEnvironmentNames(subcommand, prefix);
  }
}

}  // namespace internode::cli
