#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/http_probe.h"
#include "client/cli/report.h"
#include "client/cli/scheduler_options.h"
#include "client/remote/health.h"
#include "internode/cluster.h"

namespace internode::cli {
namespace {

struct HealthArguments {
  ExecutorOptions scheduler;
  std::string address;
  std::string timeout = "5s";
};

absl::StatusOr<int> Tell(const absl::Status& health, OutputFormat format) {
  if (absl::IsInvalidArgument(health) || absl::IsNotFound(health)) {
    return health;
  }
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"serving", health.ok()},
               {"message", std::string(health.message())}});
  } else if (health.ok() && format == OutputFormat::kTable) {
    std::printf("serving\n");
  } else if (!health.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(health.message()).c_str());
  }
  // Whatever is wrong: who asks wants yes or no.
  return health.ok() ? 0 : 1;
}

absl::StatusOr<int> CheckServing(const HealthArguments& arguments,
                                 OutputFormat format) {
  const absl::StatusOr<absl::Duration> timeout =
      ParseDuration(arguments.timeout);
  if (!timeout.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--timeout: ", timeout.status().message()));
  }
  if (IsHttpUrl(arguments.address)) {
    return Tell(
        ProbeHttp(arguments.address, arguments.scheduler.tls_ca, *timeout),
        format);
  }
  SetupOptions setup = SetupOptionsOf(arguments.scheduler);
  if (!arguments.address.empty()) setup.address = arguments.address;
  if (setup.address.empty() && setup.scheduler_file.empty()) {
    setup.address = kDefaultSchedulerAddress;
  }
  return Tell(client::CheckHealth(setup, *timeout), format);
}

}  // namespace

void AddHealthcheckCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command =
      AddCommand(root, line, "healthcheck", "Ask a daemon whether it serves",
                 "  internode healthcheck node1:8786 --tls-ca ca.crt\n"
                 "  internode healthcheck http://127.0.0.1:8788\n"
                 "Exit code 0: it serves; 1: it does not. No token is needed.");
  auto arguments = std::make_shared<HealthArguments>();
  command->add_option(
      "ADDRESS", arguments->address,
      "The scheduler's, host:port (default: 127.0.0.1:8786), or "
      "http://HOST:PORT of any daemon's --http");
  AddSchedulerOptions(command, &arguments->scheduler);
  command->add_option("--timeout", arguments->timeout, "How long it may take")
      ->capture_default_str()
      ->type_name("DURATION");
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return CheckServing(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
