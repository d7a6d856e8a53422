#ifndef INTERNODE_CLIENT_REMOTE_CHILD_PROCESS_H_
#define INTERNODE_CLIENT_REMOTE_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/mutex.h"

namespace internode::client {

// A file descriptor that is closed with its owner. Thread-compatible.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) {
    other.fd_ = -1;
  }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const { return fd_; }
  void Close();

 private:
  int fd_ = -1;
};

// A daemon that this process started: in a process group of its own, so that
// Ctrl-C in a terminal is not for it; with a pipe whose other end closes when
// this process is gone, however it ended, which tells the daemon to end.
// Thread-safe after Start.
class ChildProcess {
 public:
  struct Options {
    // "scheduler", for messages.
    std::string name;
    std::string program;
    // Without the program's name; `--ready-fd` and `--lifeline-fd` are added.
    std::vector<std::string> arguments;
    // Where stdout and stderr go.
    std::string log_path;
  };

  // Errors: kFailedPrecondition, the system's reason.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const Options& options);
  // Kills what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits for the line that says that the daemon is ready; without the line
  // break. Errors (kFailedPrecondition): it ended before, or took too long,
  // with the last words of its log. Once.
  absl::StatusOr<std::string> ReadReady(absl::Time deadline);

  // OK while it runs; else how it ended, with the last words of its log.
  absl::Status Check();

  // Tells it to end, by the pipe.
  void CloseLifeline();
  // Whether it has ended, waiting until `deadline` for it.
  bool WaitUntil(absl::Time deadline);
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  ChildProcess(Options options, pid_t pid, FileDescriptor ready,
               FileDescriptor lifeline);
  // Takes note of its end, if it has ended.
  bool Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Ended(const std::string& how) const;

  const Options options_;
  const pid_t pid_;
  // Readable when the process has ended; -1 on systems without.
  const FileDescriptor pidfd_;
  FileDescriptor ready_;

  Mutex mu_;
  FileDescriptor lifeline_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::string how_ ABSL_GUARDED_BY(mu_);
};

// The last lines of a text file as one line, at most 400 bytes; "" for none.
std::string LastWords(const std::string& path);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_CHILD_PROCESS_H_
