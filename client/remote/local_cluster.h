#ifndef INTERNODE_CLIENT_REMOTE_LOCAL_CLUSTER_H_
#define INTERNODE_CLIENT_REMOTE_LOCAL_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "client/remote/child_process.h"

namespace internode::client {

// A folder of our own that is gone with its owner, and that a later one
// removes when its owner was killed. Thread-compatible.
class PrivateFolder {
 public:
  // Below $TMPDIR, or /tmp; for this user only.
  static absl::StatusOr<std::unique_ptr<PrivateFolder>> Make();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  PrivateFolder(std::string path, FileDescriptor lock);

  const std::string path_;
  // Locked as long as the owner lives.
  const FileDescriptor lock_;
};

// A scheduler and a worker daemon as children of this process, on loopback and
// free ports. All are gone within two seconds when this process is, however it
// ended. Thread-safe after Start.
class LocalCluster {
 public:
  struct Options {
    int num_workers = 1;
    int threads_per_worker = 1;
    std::vector<std::string> function_path;
    absl::Duration start_timeout = absl::Seconds(20);
  };

  // Both daemons run; the workers may still be joining. Errors
  // (kFailedPrecondition): a daemon is not found, or did not start: its last
  // words are in the message.
  static absl::StatusOr<std::unique_ptr<LocalCluster>> Start(
      const Options& options);
  // As Stop, with 10 s.
  ~LocalCluster();

  const std::string& address() const { return address_; }
  // The token without which it does nothing: loopback is open to all users of
  // the machine.
  std::string token_file() const;
  // OK while both daemons run; else which one ended, and how.
  absl::Status Check();
  // Ends both and removes their folder. Idempotent. Errors:
  // kDeadlineExceeded, one had to be killed.
  absl::Status Stop(absl::Duration timeout);

  std::vector<int64_t> pids() const;

 private:
  LocalCluster() = default;
  absl::Status MakeTokens();
  std::string WorkerTokenFile() const;
  std::string TokenListFile() const;
  absl::Status StartScheduler(absl::Time deadline);
  absl::Status StartWorkers(const Options& options, absl::Time deadline);

  std::unique_ptr<PrivateFolder> folder_;
  std::unique_ptr<ChildProcess> scheduler_;
  std::unique_ptr<ChildProcess> workers_;
  std::string address_;
  Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

// Where `program`, one of the daemons, is: in $INTERNODE_BIN_DIR, beside the
// running program, where it was installed, or in $PATH. Errors
// (kFailedPrecondition) say where it was looked for.
absl::StatusOr<std::string> FindProgram(const std::string& program);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_LOCAL_CLUSTER_H_
