#include <sys/prctl.h>

#include <cstdio>
#include <exception>

#include "base/heap.h"
#include "base/lock_checks.h"
#include "base/log.h"
#include "rpc/grpc_log.h"
#include "worker/child_process.h"
#include "worker/daemon.h"
#include "worker/exit_code.h"
#include "worker/options.h"
#include "worker/process.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

int Main(int argc, char** argv) {
  SkipLockOrderChecks();
  KeepFreedMemory();
  const ParsedOptions parsed = ParseOptions(argc, argv);
  if (!parsed.options.has_value()) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
    return parsed.exit_code;
  }
  ConfigureLog(parsed.options->log);
  rpc::SendGrpcLogToDebug();
  // What it starts gets no rights that it has not.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // Before any thread is started: signals are read, not caught.
  BlockSignals();
  if (parsed.options->process == 0) return RunDaemon(*parsed.options);
  BecomeChild();
  return RunProcess(*parsed.options);
}

}  // namespace
}  // namespace internode::worker

int main(int argc, char** argv) {
  try {
    return internode::worker::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return internode::worker::kExitFailed;
  }
}
