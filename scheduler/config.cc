#include "scheduler/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/listen_address.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "scheduler/exposure.h"

namespace internode::scheduler {
namespace {

// Two messages of the largest size.
constexpr int64_t kLeastBuffers = int64_t{32} << 20;
// A piece of a frame, and what is said of it.
constexpr int64_t kLeastMessage = int64_t{2} << 20;

// The flags as they were written.
struct Flags {
  std::string listen = "127.0.0.1:8786";
  std::string http = "127.0.0.1:8787";
  std::vector<std::string> http_names;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::string tokens;
  bool insecure = false;
  std::string state_dir;
  std::string durability = "fsync";
  std::string retain = "7d";
  std::string scheduler_file;
  std::string worker_timeout = "30s";
  std::string heartbeat_interval = "1s";
  std::string task_timeout = "none";
  std::string reserve = "256MiB";
  std::string buffers = "128MiB";
  std::string max_message = "16MiB";
  int64_t max_streams = 1000;
  int64_t max_jobs = 10'000;
  int64_t max_tasks = core::kMostTasks;
  std::string max_job_spool = "none";
  std::string max_client_spool = "none";
  bool reflection = false;
  std::string log_format = "text";
  int verbose = 0;
  int quiet = 0;
  int ready_fd = -1;
  int lifeline_fd = -1;
  bool version = false;
};

// "--state-dir" -> "INTERNODE_SCHEDULER_STATE_DIR".
std::string VariableOf(const std::string& flag) {
  std::string name = "INTERNODE_SCHEDULER_";
  for (const char c : flag.substr(2)) {
    name +=
        c == '-'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

template <typename T>
void AddOption(CLI::App* app, const std::string& flag, T* value,
               const std::string& type, const std::string& help) {
  app->add_option(flag, *value, help)
      ->envname(VariableOf(flag))
      ->type_name(type)
      ->capture_default_str();
}

void AddAccessOptions(CLI::App* app, Flags* flags) {
  AddOption(app, "--tls-cert", &flags->tls_cert, "FILE",
            "certificate (PEM): clients and workers connect by TLS");
  AddOption(app, "--tls-key", &flags->tls_key, "FILE", "its key");
  AddOption(app, "--tls-client-ca", &flags->tls_client_ca, "FILE",
            "certificates of this CA let their bearers in");
  AddOption(app, "--tokens", &flags->tokens, "FILE",
            "tokens that let their bearers in; internode token create");
  app->add_flag("--insecure", flags->insecure,
                "listen beyond this machine without asking who connects")
      ->envname(VariableOf("--insecure"));
  AddOption(app, "--http-name", &flags->http_names, "NAME",
            "further host name that HTTP answers to; may be repeated");
  app->get_option("--http-name")->delimiter(',')->allow_extra_args(false);
}

void AddLimitOptions(CLI::App* app, Flags* flags) {
  AddOption(app, "--buffers", &flags->buffers, "SIZE",
            "memory for what arrives, besides 2 MiB for each worker process");
  AddOption(app, "--max-message", &flags->max_message, "SIZE",
            "the largest message that is taken");
  AddOption(app, "--max-streams", &flags->max_streams, "N",
            "calls that one connection may have open");
  AddOption(app, "--max-jobs", &flags->max_jobs, "N",
            "jobs of one client that have not ended");
  AddOption(app, "--max-tasks", &flags->max_tasks, "N", "tasks of a job");
  AddOption(app, "--max-job-spool", &flags->max_job_spool, "SIZE|none",
            "results of a job, which fails beyond");
  AddOption(app, "--max-client-spool", &flags->max_client_spool, "SIZE|none",
            "results of one client's jobs, who submits no more beyond");
}

void AddOptions(CLI::App* app, Flags* flags) {
  AddOption(app, "--listen", &flags->listen, "HOST:PORT",
            "where clients and workers connect; port 0 takes a free one");
  AddOption(app, "--http", &flags->http, "HOST:PORT|off",
            "where browsers and Prometheus connect");
  AddAccessOptions(app, flags);
  AddOption(app, "--state-dir", &flags->state_dir, "DIR",
            "journal and results; by default internode/ in $XDG_STATE_HOME or "
            "~/.local/state, as root /var/lib/internode");
  AddOption(app, "--durability", &flags->durability, "fsync|os",
            "what acknowledged results survive: a failure of the machine, or "
            "the end of the process alone");
  AddOption(app, "--retain", &flags->retain, "DURATION|forever",
            "jobs that ended longer ago are forgotten, with their results");
  AddOption(app, "--scheduler-file", &flags->scheduler_file, "FILE",
            "write the addresses there while the scheduler serves");
  AddOption(app, "--worker-timeout", &flags->worker_timeout, "DURATION",
            "a worker that is silent for so long is lost");
  AddOption(app, "--heartbeat-interval", &flags->heartbeat_interval, "DURATION",
            "how often workers report");
  AddOption(app, "--task-timeout", &flags->task_timeout, "DURATION|none",
            "a worker process that runs one task for longer is restarted");
  AddOption(app, "--reserve", &flags->reserve, "SIZE",
            "room that is kept free on the disk");
  AddLimitOptions(app, flags);
  app->add_flag("--reflection", flags->reflection,
                "serve gRPC reflection, for grpcurl")
      ->envname(VariableOf("--reflection"));
  AddOption(app, "--log-format", &flags->log_format, "text|json",
            "how the log on stderr is written");
  app->add_flag("-v,--verbose", flags->verbose, "log more")
      ->envname(VariableOf("--verbose"));
  app->add_flag("-q,--quiet", flags->quiet, "log less; twice: errors alone")
      ->envname(VariableOf("--quiet"));
  AddOption(app, "--ready-fd", &flags->ready_fd, "FD",
            "write the addresses there, once, when the scheduler serves");
  AddOption(app, "--lifeline-fd", &flags->lifeline_fd, "FD",
            "stop when the other end of this pipe is closed");
  app->add_flag("--version", flags->version, "print the version");
}

absl::Status BadFlag(const std::string& flag, absl::string_view value,
                     absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " '", value, "': ", why));
}

absl::Status ParseListen(const std::string& flag, const std::string& value,
                         std::string* host, int* port) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(value);
  if (!address.ok()) return BadFlag(flag, value, address.status().message());
  *host = address->host;
  *port = address->port;
  return absl::OkStatus();
}

absl::Status ParseTime(const std::string& flag, const std::string& value,
                       absl::Duration least, absl::Duration most,
                       absl::Duration* duration) {
  const absl::StatusOr<absl::Duration> parsed = ParseDuration(value);
  if (!parsed.ok()) return BadFlag(flag, value, parsed.status().message());
  if (*parsed < least || *parsed > most) {
    return BadFlag(flag, value,
                   absl::StrCat("it is ", absl::FormatDuration(least), " to ",
                                absl::FormatDuration(most)));
  }
  *duration = *parsed;
  return absl::OkStatus();
}

absl::StatusOr<std::string> DefaultStateDir() {
  if (geteuid() == 0) return std::string("/var/lib/internode");
  if (const char* state = std::getenv("XDG_STATE_HOME");
      state != nullptr && *state != '\0') {
    return absl::StrCat(state, "/internode");
  }
  if (const char* home = std::getenv("HOME");
      home != nullptr && *home != '\0') {
    return absl::StrCat(home, "/.local/state/internode");
  }
  return absl::InvalidArgumentError(
      "there is no home folder to keep the state in; name one with "
      "--state-dir");
}

absl::Status SetLog(const Flags& flags, LogOptions* log) {
  const int level = flags.verbose - flags.quiet;
  log->level = level > 0     ? LogLevel::kDebug
               : level == 0  ? LogLevel::kInfo
               : level == -1 ? LogLevel::kWarning
                             : LogLevel::kError;
  if (flags.log_format != "text" && flags.log_format != "json") {
    return BadFlag("--log-format", flags.log_format, "it is text or json");
  }
  log->format =
      flags.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  return absl::OkStatus();
}

absl::Status ParseSize(const std::string& flag, const std::string& value,
                       int64_t least, int64_t* bytes) {
  const absl::StatusOr<int64_t> parsed = ParseBytes(value);
  if (!parsed.ok()) return BadFlag(flag, value, parsed.status().message());
  if (*parsed < least) {
    return BadFlag(flag, value,
                   absl::StrCat("it is at least ", FormatBytes(least)));
  }
  *bytes = *parsed;
  return absl::OkStatus();
}

// "none" is no limit.
absl::Status ParseSizeOrNone(const std::string& flag, const std::string& value,
                             int64_t* bytes) {
  *bytes = -1;
  return value == "none" ? absl::OkStatus() : ParseSize(flag, value, 0, bytes);
}

absl::Status CheckCount(const std::string& flag, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return BadFlag(flag, absl::StrCat(value), absl::StrCat("it is 1 to ", most));
}

absl::Status CheckLimits(const Flags& flags, Config* config) {
  INTERNODE_RETURN_IF_ERROR(ParseSize("--buffers", flags.buffers, kLeastBuffers,
                                      &config->buffer_bytes));
  INTERNODE_RETURN_IF_ERROR(ParseSize("--max-message", flags.max_message,
                                      kLeastMessage,
                                      &config->max_message_bytes));
  if (config->max_message_bytes > rpc::kMaxMessageBytes) {
    return BadFlag("--max-message", flags.max_message,
                   "it is at most 16MiB, which clients send at most");
  }
  INTERNODE_RETURN_IF_ERROR(
      CheckCount("--max-streams", flags.max_streams, 1'000'000));
  INTERNODE_RETURN_IF_ERROR(CheckCount("--max-jobs", flags.max_jobs, 100'000));
  INTERNODE_RETURN_IF_ERROR(
      CheckCount("--max-tasks", flags.max_tasks, core::kMostTasks));
  config->max_streams = flags.max_streams;
  config->max_jobs = flags.max_jobs;
  config->max_tasks = flags.max_tasks;
  INTERNODE_RETURN_IF_ERROR(ParseSizeOrNone(
      "--max-job-spool", flags.max_job_spool, &config->max_job_spool));
  return ParseSizeOrNone("--max-client-spool", flags.max_client_spool,
                         &config->max_client_spool);
}

absl::StatusOr<Config> Check(const Flags& flags) {
  Config config;
  INTERNODE_RETURN_IF_ERROR(ParseListen(
      "--listen", flags.listen, &config.listen_host, &config.listen_port));
  config.http = flags.http != "off";
  if (config.http) {
    INTERNODE_RETURN_IF_ERROR(ParseListen(
        "--http", flags.http, &config.http_host, &config.http_port));
  }
  config.http_names = flags.http_names;
  config.tls_cert = flags.tls_cert;
  config.tls_key = flags.tls_key;
  config.tls_client_ca = flags.tls_client_ca;
  config.tokens = flags.tokens;
  config.insecure = flags.insecure;
  INTERNODE_RETURN_IF_ERROR(CheckExposure(config));
  config.state_dir = flags.state_dir;
  if (config.state_dir.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(config.state_dir, DefaultStateDir());
  }
  INTERNODE_ASSIGN_OR_RETURN(config.durability,
                             ParseDurability(flags.durability));
  config.retain = absl::InfiniteDuration();
  if (flags.retain != "forever") {
    INTERNODE_RETURN_IF_ERROR(
        ParseTime("--retain", flags.retain, absl::ZeroDuration(),
                  absl::Hours(24 * 36500), &config.retain));
  }
  INTERNODE_RETURN_IF_ERROR(ParseTime("--worker-timeout", flags.worker_timeout,
                                      absl::Milliseconds(100), absl::Hours(24),
                                      &config.worker_timeout));
  INTERNODE_RETURN_IF_ERROR(ParseTime(
      "--heartbeat-interval", flags.heartbeat_interval, absl::Milliseconds(10),
      absl::Hours(1), &config.heartbeat_interval));
  if (config.heartbeat_interval > config.worker_timeout / 2) {
    return BadFlag("--heartbeat-interval", flags.heartbeat_interval,
                   "it is at most half of --worker-timeout");
  }
  if (flags.task_timeout != "none") {
    INTERNODE_RETURN_IF_ERROR(
        ParseTime("--task-timeout", flags.task_timeout, absl::Milliseconds(1),
                  absl::Hours(24 * 365), &config.task_timeout));
  }
  INTERNODE_RETURN_IF_ERROR(
      ParseSize("--reserve", flags.reserve, 0, &config.reserve_bytes));
  INTERNODE_RETURN_IF_ERROR(CheckLimits(flags, &config));
  INTERNODE_RETURN_IF_ERROR(SetLog(flags, &config.log));
  config.scheduler_file = flags.scheduler_file;
  config.reflection = flags.reflection;
  config.ready_fd = flags.ready_fd;
  config.lifeline_fd = flags.lifeline_fd;
  return config;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(int argc, char** argv) {
  CLI::App app(
      "Takes jobs from clients, gives their tasks to workers, keeps the "
      "results.",
      "internode-scheduler");
  Flags flags;
  AddOptions(&app, &flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return absl::CancelledError("");
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (flags.version) {
    std::printf("internode-scheduler %s\n", std::string(Version()).c_str());
    return absl::CancelledError("");
  }
  return Check(flags);
}

}  // namespace internode::scheduler
