#include "worker/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

extern char** environ;

namespace internode::worker {
namespace {

// Descriptors of a child begin here.
constexpr int kFirstFd = 3;
// How much sooner than its supervisor the kernel takes a child's memory.
constexpr int kOomScore = 200;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// The heap asks for huge pages. Records and frames are touched a while after
// they were written, and the way to each page of 4 KiB then costs more than its
// bytes, above all in a virtual machine. The C library takes this at the start
// of a program alone.
constexpr absl::string_view kTunables = "GLIBC_TUNABLES=";
constexpr absl::string_view kHugePages = "glibc.malloc.hugetlb=1";

// Options are given as arguments, and the service manager knows the supervisor
// alone.
std::vector<std::string> ChildEnvironment() {
  std::vector<std::string> variables;
  // What the user says comes last, and so counts.
  std::string tunables = absl::StrCat(kTunables, kHugePages);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view text = *variable;
    if (absl::StartsWith(text, kTunables)) {
      absl::StrAppend(&tunables, ":", text.substr(kTunables.size()));
    } else if (!absl::StartsWith(text, "INTERNODE_WORKER_") &&
               !absl::StartsWith(text, "NOTIFY_SOCKET=") &&
               !absl::StartsWith(text, "WATCHDOG_")) {
      variables.emplace_back(text);
    }
  }
  variables.push_back(std::move(tunables));
  return variables;
}

}  // namespace

absl::StatusOr<pid_t> StartChild(const ChildSpec& spec) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // First out of the way of the numbers that they get.
  std::vector<int> copies;
  copies.reserve(spec.fds.size());
  const int count = static_cast<int>(spec.fds.size());
  for (const int fd : spec.fds) {
    copies.push_back(fcntl(fd, F_DUPFD_CLOEXEC, kFirstFd + count));
  }
  for (int i = 0; i < count; ++i) {
    posix_spawn_file_actions_adddup2(&actions, copies[static_cast<size_t>(i)],
                                     kFirstFd + i);
  }
  const std::vector<std::string> environment = ChildEnvironment();
  pid_t pid = 0;
  const int error = posix_spawn(&pid, spec.program.c_str(), &actions, nullptr,
                                Pointers(spec.arguments).data(),
                                Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : copies) close(fd);
  if (error != 0) {
    const std::string message =
        absl::StrCat("cannot start ", spec.program, ": ", strerror(error));
    return error == EAGAIN || error == ENOMEM
               ? absl::ResourceExhaustedError(message)
               : absl::InternalError(message);
  }
  return pid;
}

void BecomeChild() {
  // Beside the lifeline: this reaches a stopped process too.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int score = 0;
  std::ifstream("/proc/self/oom_score_adj") >> score;
  std::ofstream("/proc/self/oom_score_adj")
      << std::min(1000, score + kOomScore);
}

std::string CauseOfDeath(int wait_status) {
  if (WIFEXITED(wait_status)) {
    return absl::StrCat("exit code ", WEXITSTATUS(wait_status));
  }
  const int signal = WTERMSIG(wait_status);
  const char* const name = sigabbrev_np(signal);
  return absl::StrCat("signal ", signal, " (SIG", name == nullptr ? "?" : name,
                      ")");
}

}  // namespace internode::worker
