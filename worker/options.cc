#include "worker/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "base/did_you_mean.h"
#include "base/quantity.h"
#include "base/usable_cores.h"
#include "base/version.h"
#include "rpc/channel.h"
#include "worker/memory_limit.h"

namespace internode::worker {
namespace {

constexpr char kFooter[] =
    "Every option may be given by the environment too: --nworkers by\n"
    "INTERNODE_WORKER_NWORKERS, lists separated by colons.\n"
    "Exit codes: 0 drained; 1 refused by the scheduler, or without one for\n"
    "--death-timeout, or stopped at once; 2 wrong use.\n\n"
    "  internode-worker 127.0.0.1:8786 --nworkers 2 --data-root /data";

// What is read as text, and checked here rather than by CLI11.
struct Texts {
  std::string address;
  int num_threads = 0;
  std::string memory_limit = "auto";
  std::string lifetime;
  std::string death_timeout;
  std::string drain_timeout = "30s";
  std::string log_format = "text";
  std::vector<std::string> data_roots;
  std::vector<std::string> function_path;
  std::vector<std::string> hdf5_plugins;
  std::string http = "off";
  int verbose = 0;
  int quiet = 0;
  bool version = false;
};

// "--data-root" as the environment names it.
std::string EnvironmentName(const CLI::Option& option) {
  std::string name = option.get_lnames().empty()
                         ? std::string("SCHEDULER")
                         : absl::AsciiStrToUpper(option.get_lnames().front());
  std::replace(name.begin(), name.end(), '-', '_');
  return absl::StrCat("INTERNODE_WORKER_", name);
}

void AddWorkOptions(CLI::App* app, WorkerOptions* options, Texts* texts) {
  app->add_option("ADDRESS", texts->address,
                  "The scheduler's address, HOST:PORT");
  app->add_option("--scheduler-file", options->scheduler_file,
                  "File in which the scheduler writes its address")
      ->type_name("FILE");
  app->add_option("--nworkers", options->num_processes,
                  "Number of worker processes")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  app->add_option("--nthreads", texts->num_threads,
                  "Compute threads of each process (default: usable cores / "
                  "--nworkers)")
      ->check(CLI::Range(1, 1024))
      ->type_name("M");
  app->add_option("--data-root", texts->data_roots,
                  "Read cubes below this folder only; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("DIR");
  app->add_option("--function-path", texts->function_path,
                  "Folder of shared libraries with functions; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("DIR");
  app->add_option("--hdf5-plugins", texts->hdf5_plugins,
                  "Folder that HDF5 may load filters from; may be repeated "
                  "(default: it loads none)")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("DIR");
  app->add_option("--memory-limit", texts->memory_limit,
                  "Memory of the whole daemon: a size such as 8GiB, none, or "
                  "auto (80 % of what there is)")
      ->type_name("SIZE");
}

void AddSecurityOptions(CLI::App* app, rpc::ConnectionSecurity* security) {
  app->add_option("--tls-ca", security->tls.ca,
                  "Connect by TLS to a scheduler with a certificate of this CA")
      ->type_name("FILE");
  app->add_option("--tls-cert", security->tls.certificate,
                  "Certificate to show to the scheduler")
      ->type_name("FILE");
  app->add_option("--tls-key", security->tls.key, "Its key")->type_name("FILE");
  app->add_option("--tls-name", security->tls_name,
                  "Name in the scheduler's certificate (default: the host of "
                  "its address)")
      ->type_name("NAME");
  app->add_option("--token-file", security->token_file,
                  "File with the token to show to the scheduler")
      ->type_name("FILE");
}

void AddHttpOptions(CLI::App* app, WorkerOptions* options, Texts* texts) {
  app->add_option("--http", texts->http,
                  "Serve probes and metrics there; port 0 takes a free one")
      ->type_name("HOST:PORT|off")
      ->capture_default_str();
  app->add_option("--http-name", options->http_names,
                  "Further host name that HTTP answers to; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("NAME");
  app->add_option("--http-tokens", options->http_tokens,
                  "Tokens whose bearers may read the metrics; needed beyond "
                  "loopback (internode token create)")
      ->type_name("FILE");
}

void AddLifeOptions(CLI::App* app, WorkerOptions* options, Texts* texts) {
  app->add_option("--lifetime", texts->lifetime,
                  "Drain after this time, for example 55m")
      ->type_name("DURATION");
  app->add_option("--death-timeout", texts->death_timeout,
                  "Exit when there was no scheduler for so long (default: "
                  "wait for ever)")
      ->type_name("DURATION");
  app->add_option("--drain-timeout", texts->drain_timeout,
                  "How long draining may take")
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_option("--name", options->name,
                  "Name for people (default: the host's)");
  app->add_option("--log-format", texts->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app->add_flag("-v,--verbose", texts->verbose, "Log more");
  app->add_flag("-q,--quiet", texts->quiet, "Log less; twice: errors only");
  app->add_option("--ready-fd", options->ready_fd,
                  "Write a line of JSON to this file descriptor when all "
                  "processes are connected")
      ->check(CLI::NonNegativeNumber)
      ->type_name("FD");
  app->add_option("--lifeline-fd", options->lifeline_fd,
                  "Exit when this pipe is closed at its other end")
      ->check(CLI::NonNegativeNumber)
      ->type_name("FD");
  app->add_flag("--version", texts->version, "Print the version");
}

// How a supervisor starts its processes.
void AddProcessOptions(CLI::App* app, WorkerOptions* options) {
  app->add_option("--process", options->process)->group("");
  app->add_option("--page-fd", options->page_fd)->group("");
  app->add_option("--report-fd", options->report_fd)->group("");
}

// A list that the command line does not give: by the environment.
std::vector<std::string> OrFromEnvironment(std::vector<std::string> given,
                                           const char* variable) {
  const char* const text = std::getenv(variable);
  if (!given.empty() || text == nullptr) return given;
  return absl::StrSplit(text, ':', absl::SkipEmpty());
}

absl::Status WrongOption(absl::string_view option, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(option, ": ", status.message()));
}

absl::Status ReadDuration(absl::string_view option, const std::string& text,
                          absl::Duration* duration) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
  if (!parsed.ok()) return WrongOption(option, parsed.status());
  *duration = *parsed;
  return absl::OkStatus();
}

absl::Status ReadMemoryLimit(const std::string& text, int64_t* limit) {
  if (text == "none") {
    *limit = 0;
  } else if (text == "auto") {
    *limit = UsableMemory() / 5 * 4;
  } else {
    const absl::StatusOr<int64_t> parsed = ParseBytes(text);
    if (!parsed.ok()) return WrongOption("--memory-limit", parsed.status());
    if (*parsed < int64_t{32} << 20) {
      return absl::InvalidArgumentError(
          absl::StrCat("--memory-limit: ", text, " is less than 32MiB"));
    }
    *limit = *parsed;
  }
  return absl::OkStatus();
}

// Also what beyond loopback is asked for.
absl::Status ReadHttp(const std::string& text, WorkerOptions* options) {
  if (text == "off") return absl::OkStatus();
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  if (!address.ok()) return WrongOption("--http", address.status());
  if (!IsLoopback(address->host) && options->http_tokens.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--http: ", text,
        " can be reached from other machines: give "
        "--http-tokens (internode token create --role read makes them)"));
  }
  options->http = *address;
  return absl::OkStatus();
}

absl::Status ReadTexts(const Texts& texts, WorkerOptions* options) {
  if (texts.address.empty() == options->scheduler_file.empty()) {
    return absl::InvalidArgumentError(
        texts.address.empty()
            ? "no scheduler: give its address, HOST:PORT, or --scheduler-file "
              "FILE"
            : "give the scheduler's address or --scheduler-file, not both");
  }
  if (!texts.address.empty()) {
    const absl::StatusOr<std::string> address =
        rpc::ParseAddress(texts.address);
    if (!address.ok()) return address.status();
    options->scheduler = *address;
  }
  options->num_slots =
      texts.num_threads > 0
          ? texts.num_threads
          : std::max(1, UsableCores() / options->num_processes);
  options->data_roots =
      OrFromEnvironment(texts.data_roots, "INTERNODE_WORKER_DATA_ROOT");
  options->function_path =
      OrFromEnvironment(texts.function_path, "INTERNODE_WORKER_FUNCTION_PATH");
  options->hdf5_plugins =
      OrFromEnvironment(texts.hdf5_plugins, "INTERNODE_WORKER_HDF5_PLUGINS");
  absl::Status status =
      ReadMemoryLimit(texts.memory_limit, &options->memory_limit);
  status.Update(ReadHttp(texts.http, options));
  status.Update(ReadDuration("--lifetime", texts.lifetime, &options->lifetime));
  status.Update(ReadDuration("--death-timeout", texts.death_timeout,
                             &options->death_timeout));
  status.Update(ReadDuration("--drain-timeout", texts.drain_timeout,
                             &options->drain_timeout));
  const int verbosity = texts.verbose - texts.quiet;
  options->log.level = verbosity > 0     ? LogLevel::kDebug
                       : verbosity == 0  ? LogLevel::kInfo
                       : verbosity == -1 ? LogLevel::kWarning
                                         : LogLevel::kError;
  options->log.format =
      texts.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  return status;
}

ParsedOptions Wrong(absl::string_view message) {
  return {std::nullopt, absl::StrCat("error: ", message, "\n"), 2};
}

// CLI11's words against a command line, in one line.
std::string OneLine(const CLI::App& app, const CLI::ParseError& error,
                    const std::vector<std::string>& arguments) {
  std::string line = absl::StrReplaceAll(
      absl::StripAsciiWhitespace(error.what()), {{"\n", "; "}});
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    names.reserve(names.size() + option->get_lnames().size());
    for (const std::string& name : option->get_lnames()) {
      names.push_back(absl::StrCat("--", name));
    }
  }
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (name.rfind("--", 0) != 0 ||
        std::find(names.begin(), names.end(), name) != names.end()) {
      continue;
    }
    const std::string nearest = NearestName(name, names);
    return absl::StrCat("there is no option ", name,
                        nearest.empty()
                            ? std::string()
                            : absl::StrCat(" (did you mean ", nearest, "?)"),
                        "; see internode-worker --help");
  }
  return line;
}

}  // namespace

ParsedOptions ParseOptions(int argc, char** argv) {
  WorkerOptions options;
  Texts texts;
  CLI::App app(
      "Runs tasks of a scheduler's jobs: starts worker processes, watches "
      "them, and starts those again that die.",
      "internode-worker");
  AddWorkOptions(&app, &options, &texts);
  AddSecurityOptions(&app, &options.security);
  AddHttpOptions(&app, &options, &texts);
  AddLifeOptions(&app, &options, &texts);
  AddProcessOptions(&app, &options);
  app.footer(kFooter);
  for (CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    // Lists are read from the environment by ReadTexts.
    if (!option->get_group().empty() && name != "--help" &&
        name != "--version" && name != "--data-root" &&
        name != "--function-path" && name != "--hdf5-plugins") {
      option->envname(EnvironmentName(*option));
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return Wrong(
        OneLine(app, error, std::vector<std::string>(argv + 1, argv + argc)));
  }
  if (texts.version) {
    return {std::nullopt, absl::StrCat("internode-worker ", Version(), "\n"),
            0};
  }
  if (const absl::Status status = ReadTexts(texts, &options); !status.ok()) {
    return Wrong(status.message());
  }
  if (options.name.empty()) {
    char host[256] = {};
    gethostname(host, sizeof(host) - 1);
    options.name = host;
  }
  return {std::move(options), "", 0};
}

absl::StatusOr<std::string> SchedulerAddress(const WorkerOptions& options) {
  if (!options.scheduler.empty()) return options.scheduler;
  std::ifstream file(options.scheduler_file);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("there is no scheduler file '",
                                            options.scheduler_file, "'"));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto address = json.is_object() ? json.find("address") : json.end();
  if (!json.is_object() || address == json.end() || !address->is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.scheduler_file, "' is no scheduler file"));
  }
  return rpc::ParseAddress(address->get<std::string>());
}

}  // namespace internode::worker
