// What the tests of the supervisor supervise: does what its first argument
// says, as a worker process would.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "worker/child_process.h"
#include "worker/engine/monotonic_clock.h"
#include "worker/exit_code.h"
#include "worker/shared_page.h"
#include "worker/supervisor.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

constexpr int kPageFd = 3;
constexpr int kLifelineFd = 4;
constexpr int kReportFd = 5;

// Whether the file `path` is there; it is then.
bool WasHere(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return true;
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) std::abort();
  std::fclose(file);
  return false;
}

int NumberOf(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--process=", 0) == 0) {
      return std::atoi(argument.c_str() + 10);
    }
  }
  return 0;
}

void ReportConnected(int process) {
  const auto number = static_cast<uint16_t>(process);
  if (write(kReportFd, &number, sizeof(number)) != sizeof(number)) {
    std::abort();
  }
}

int WaitForTheEnd() {
  const Watcher watcher(
      {}, [](int) {},
      {{kLifelineFd, [](const char*, size_t) { _exit(kExitOrphan); }}});
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  int signal = 0;
  sigwait(&set, &signal);
  return kExitDrained;
}

[[noreturn]] void Crash() {
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
  std::abort();
}

// Touches `bytes` of memory, and keeps them.
void Hog(size_t bytes) {
  // Never freed: that is the point.
  auto memory = std::make_unique<std::vector<char>>(bytes, 1);
  if (memory.release()->back() != 1) std::abort();
}

// Supervises two of itself.
int Supervise(const std::string& program) {
  EventLoop loop;
  SupervisorOptions options;
  options.worker.scheduler = "127.0.0.1:1";
  options.worker.num_processes = 2;
  options.program = program;
  options.first_arguments = {program, "run"};
  Supervisor supervisor(&loop, options,
                        {.on_death = [](const Death&) {},
                         .on_ready =
                             [] {
                               std::puts("ready");
                               std::fflush(stdout);
                             },
                         .on_end = [](int) {}});
  supervisor.Start();
  loop.Run();
  return 0;
}

int Main(int argc, char** argv) {
  BlockSignals();
  const std::string mode = argv[1];
  if (mode == "supervise") return Supervise(argv[0]);
  BecomeChild();
  const int process = NumberOf(argc, argv);
  auto page = SharedPage::Open(kPageFd);
  if (!page.ok()) return 99;
  if (mode == "exit-2") return kExitWrongUse;
  if (mode == "refused") return kExitRefused;
  (*page)->SetReadCounters({.chunks_decoded = 10, .read_bytes = 3000});
  ReportConnected(process);
  (*page)->slots()[0].Set({4, 17, NowNanos()});
  const std::string once = "once:";
  if (mode.rfind(once, 0) == 0) {
    // once:what:file
    const std::string what =
        mode.substr(once.size(), mode.rfind(':') - once.size());
    if (!WasHere(mode.substr(mode.rfind(':') + 1))) {
      if (what == "crash") Crash();
      if (what == "exit") return 7;
      if (what == "restart") {
        (*page)->SetReason("task 17 of job 4 ran longer than 1s");
        return kExitRestart;
      }
      if (what == "hog") Hog(size_t{256} << 20);
    }
  }
  if (mode == "crash") Crash();
  if (mode == "drained") return kExitDrained;
  if (mode == "stubborn") {
    for (;;) pause();
  }
  return WaitForTheEnd();
}

}  // namespace
}  // namespace internode::worker

int main(int argc, char** argv) { return internode::worker::Main(argc, argv); }
