#include "client/launch/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"

extern char** environ;

namespace internode::launch {
namespace {

constexpr size_t kMostWords = 400;

// Memory as a file: what a program reads and writes, of any size, without
// pipes that have to be served meanwhile.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("internode", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }

  bool Fill(absl::string_view text) const {
    while (!text.empty()) {
      const ssize_t size = write(fd_, text.data(), text.size());
      if (size <= 0) return false;
      text.remove_prefix(static_cast<size_t>(size));
    }
    return lseek(fd_, 0, SEEK_SET) == 0;
  }

  std::string Text() const {
    std::string text;
    std::array<char, 4096> bytes{};
    ssize_t size = 0;
    off_t offset = 0;
    while ((size = pread(fd_, bytes.data(), bytes.size(), offset)) > 0) {
      text.append(bytes.data(), static_cast<size_t>(size));
      offset += size;
    }
    return text;
  }

 private:
  const int fd_;
};

int Spawn(const std::vector<std::string>& words, const MemoryFile& in,
          const MemoryFile& out, const MemoryFile& err, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.fd(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
  // Ctrl-C in a terminal is for this process alone.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  const int error = posix_spawnp(pid, words.front().c_str(), &actions,
                                 &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Until the process has ended; false after `timeout`.
bool AwaitEnd(pid_t pid, absl::Duration timeout) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return true;
  const absl::Time end = absl::Now() + timeout;
  pollfd ended{handle, POLLIN, 0};
  int come = 0;
  do {
    const absl::Duration left =
        std::clamp(end - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
    come = poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(left)));
  } while (come <= 0 && absl::Now() < end);
  close(handle);
  return come > 0;
}

std::string LastWords(const std::string& text) {
  const std::string line = absl::StrReplaceAll(absl::StripAsciiWhitespace(text),
                                               {{"\n", " | "}, {"\r", ""}});
  return line.size() <= kMostWords ? line
                                   : line.substr(line.size() - kMostWords);
}

}  // namespace

absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& words,
                                       absl::string_view input,
                                       absl::Duration timeout) {
  const std::string& program = words.front();
  const MemoryFile in;
  const MemoryFile out;
  const MemoryFile err;
  if (in.fd() < 0 || out.fd() < 0 || err.fd() < 0 || !in.Fill(input)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start ", program, ": ", std::strerror(errno)));
  }
  pid_t pid = 0;
  const int error = Spawn(words, in, out, err, &pid);
  if (error == ENOENT) {
    return absl::NotFoundError(
        absl::StrCat("there is no program ", program, " in $PATH"));
  }
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot start ", program, ": ", std::strerror(error)));
  }
  const bool in_time = AwaitEnd(pid, timeout);
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return absl::DeadlineExceededError(absl::StrCat(
        program, " did not end within ", absl::FormatDuration(timeout)));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string said = LastWords(err.Text());
    return absl::UnavailableError(absl::StrCat(
        program,
        WIFEXITED(status)
            ? absl::StrCat(" ended with exit code ", WEXITSTATUS(status))
            : absl::StrCat(" was killed by signal ", WTERMSIG(status)),
        said.empty() ? "" : ": ", said));
  }
  return out.Text();
}

}  // namespace internode::launch
