#include "client/remote/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"

extern char** environ;

namespace internode::client {
namespace {

absl::Status SystemError(const std::string& what, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, ": ", std::strerror(error)));
}

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

absl::StatusOr<Pipe> NewPipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return SystemError("cannot make a pipe", errno);
  }
  return Pipe{FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

// Without the settings of daemons that this one is not meant to be like.
std::vector<std::string> CleanEnvironment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (absl::StartsWith(*entry, "INTERNODE_SCHEDULER_") ||
        absl::StartsWith(*entry, "INTERNODE_WORKER_")) {
      continue;
    }
    environment.emplace_back(*entry);
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What posix_spawn is told, released with its scope.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP |
                                               POSIX_SPAWN_SETSIGMASK |
                                               POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // The child has this descriptor too, under its number.
  void Inherit(const FileDescriptor& fd) {
    posix_spawn_file_actions_adddup2(&actions_, fd.get(), fd.get());
  }
  void Redirect(const std::string& log_path) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }

  int Spawn(const std::string& program, std::vector<std::string>& words,
            pid_t* pid) const {
    std::vector<std::string> environment = CleanEnvironment();
    return posix_spawn(pid, program.c_str(), &actions_, &attributes_,
                       Pointers(words).data(), Pointers(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was killed by signal ", WTERMSIG(status), " (",
                        strsignal(WTERMSIG(status)), ")");
  }
  return absl::StrCat("ended with exit code ", WEXITSTATUS(status));
}

int PollMilliseconds(absl::Time deadline) {
  const absl::Duration left =
      std::clamp(deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
  return static_cast<int>(
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void FileDescriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::string LastWords(const std::string& path) {
  constexpr size_t kMost = 400;
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)),
                         std::istreambuf_iterator<char>());
  const std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipWhitespace());
  const auto first =
      lines.end() - std::min<std::ptrdiff_t>(3, std::ssize(lines));
  const std::string words =
      absl::StrJoin(std::vector<std::string>(first, lines.end()), " | ");
  return words.size() <= kMost ? words : words.substr(words.size() - kMost);
}

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const Options& options) {
  INTERNODE_ASSIGN_OR_RETURN(Pipe ready, NewPipe());
  INTERNODE_ASSIGN_OR_RETURN(Pipe lifeline, NewPipe());
  SpawnSettings settings;
  settings.Redirect(options.log_path);
  settings.Inherit(ready.write);
  settings.Inherit(lifeline.read);
  std::vector<std::string> words = {options.program};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  for (const auto& [flag, fd] :
       {std::pair("--ready-fd", ready.write.get()),
        std::pair("--lifeline-fd", lifeline.read.get())}) {
    words.emplace_back(flag);
    words.push_back(absl::StrCat(fd));
  }
  pid_t pid = 0;
  const int error = settings.Spawn(options.program, words, &pid);
  if (error != 0) {
    return SystemError(
        absl::StrCat("cannot start the ", options.name, " ", options.program),
        error);
  }
  return absl::WrapUnique(new ChildProcess(options, pid, std::move(ready.read),
                                           std::move(lifeline.write)));
}

ChildProcess::ChildProcess(Options options, pid_t pid, FileDescriptor ready,
                           FileDescriptor lifeline)
    : options_(std::move(options)),
      pid_(pid),
      pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      ready_(std::move(ready)),
      lifeline_(std::move(lifeline)) {}

ChildProcess::~ChildProcess() {
  CloseLifeline();
  if (!WaitUntil(absl::Now())) Kill();
}

absl::StatusOr<std::string> ChildProcess::ReadReady(absl::Time deadline) {
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd wait = {ready_.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, PollMilliseconds(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Ended("did not become ready in time");
    char buffer[1024];
    const ssize_t count = read(ready_.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      // It closed its end: most likely it is about to end.
      WaitUntil(absl::Now() + absl::Seconds(1));
      INTERNODE_RETURN_IF_ERROR(Check());
      return Ended("did not say that it is ready");
    }
    line.append(buffer, static_cast<size_t>(count));
  }
  ready_.Close();
  return line.substr(0, line.find('\n'));
}

absl::Status ChildProcess::Ended(const std::string& how) const {
  const std::string words = LastWords(options_.log_path);
  return absl::FailedPreconditionError(
      absl::StrCat("the local cluster's ", options_.name, " ", how,
                   words.empty() ? "" : absl::StrCat(": ", words)));
}

bool ChildProcess::Reap() {
  if (ended_) return true;
  int status = 0;
  const pid_t result = waitpid(pid_, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return false;
  ended_ = true;
  how_ = result == pid_ ? HowItEnded(status) : "ended";
  return true;
}

absl::Status ChildProcess::Check() {
  MutexLock lock(&mu_);
  return Reap() ? Ended(how_) : absl::OkStatus();
}

void ChildProcess::CloseLifeline() {
  MutexLock lock(&mu_);
  lifeline_.Close();
}

bool ChildProcess::WaitUntil(absl::Time deadline) {
  if (pidfd_.get() >= 0) {
    pollfd wait = {pidfd_.get(), POLLIN, 0};
    while (poll(&wait, 1, PollMilliseconds(deadline)) < 0 && errno == EINTR) {
    }
  }
  MutexLock lock(&mu_);
  return Reap();
}

void ChildProcess::Kill() {
  MutexLock lock(&mu_);
  if (Reap()) return;
  // With what it started.
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  how_ = HowItEnded(status);
}

}  // namespace internode::client
