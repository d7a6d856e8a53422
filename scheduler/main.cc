#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "absl/status/status.h"

#include "base/heap.h"
#include "base/lock_checks.h"
#include "base/log.h"
#include "scheduler/config.h"
#include "scheduler/daemon.h"

// The program internode-scheduler: docs/operations.md.

namespace internode::scheduler {
namespace {

// How a wrong command line ends the program.
constexpr int kUsageExit = 2;

int Complain(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int Main(int argc, char** argv) {
  SkipLockOrderChecks();
  KeepFreedMemory();
  const absl::StatusOr<Config> config = ParseConfig(argc, argv);
  if (absl::IsCancelled(config.status())) return EXIT_SUCCESS;
  if (!config.ok()) return Complain(config.status(), kUsageExit);
  ConfigureLog(config->log);
  const absl::Status status = RunDaemon(*config);
  return status.ok() ? EXIT_SUCCESS : Complain(status, EXIT_FAILURE);
}

}  // namespace
}  // namespace internode::scheduler

int main(int argc, char** argv) {
  try {
    return internode::scheduler::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
