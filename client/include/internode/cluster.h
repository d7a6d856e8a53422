#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_CLUSTER_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "internode/executor.h"

// A scheduler and its workers: connected to, or started on this machine.
//
//   auto executor = internode::SetupExecutor({.num_workers = 4});
//   for (const std::string& line : *internode::ExecutorInfo(executor->get()))
//     std::cout << line << "\n";

namespace internode {

struct SetupOptions {
  // Connect to the scheduler there: "host:port" or "unix:/path".
  std::string address;
  // Or to the one whose --scheduler-file this is.
  std::string scheduler_file;

  // How to connect there. With a CA's certificate (a PEM file): by TLS, to a
  // scheduler whose certificate is of that CA and for the host of the address,
  // or for `tls_name`.
  std::string tls_ca;
  std::string tls_name;
  // A certificate of one's own and its key, PEM files.
  std::string tls_cert;
  std::string tls_key;
  // A file that holds a token. It is sent by TLS, or on this machine.
  std::string token_file;

  // Without either: start a local cluster of so many worker processes (0: as
  // many as the process may use cores), with so many threads each.
  int num_workers = 0;
  int threads_per_worker = 1;
  // Folders of shared libraries with functions, for its workers.
  std::vector<std::string> function_path;

  // How long connecting may take.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  // How long calls wait for a scheduler that went away.
  std::chrono::milliseconds patience = std::chrono::minutes(10);
};

// An executor that is connected. A local cluster lives as long as it: when it
// is closed or destroyed, or the process ends, however it does, the cluster's
// processes are gone within two seconds.
//
// Errors: kInvalidArgument (not an address; a bad number or file); kUnavailable
// (nothing answers); kUnauthenticated, kPermissionDenied (TLS fails, a token or
// certificate is missing or refused: the message says which);
// kFailedPrecondition (another version; a daemon that is not found, or did not
// start: its last words are in the message).
absl::StatusOr<std::unique_ptr<Executor>> SetupExecutor(
    const SetupOptions& options);

struct ExecutorInfoOptions {
  // The lines "Scheduler:" and "Host:".
  bool ip = true;
  // The line "Dashboard:".
  bool dashboard = true;
  // The lines "Workers:", "Cores:" and "Memory:".
  bool stats = true;
};

// What the executor is, as lines for people: six, or fewer by those that are
// switched off. A cluster without workers has 0 of them.
//
//   Scheduler: 127.0.0.1:8786
//   Host: node7
//   Dashboard: http://127.0.0.1:8787/status
//   Workers: 2
//   Cores: 4
//   Memory: 15.2 GiB
absl::StatusOr<std::vector<std::string>> ExecutorInfo(
    Executor* executor, const ExecutorInfoOptions& options = {});

// What ExecutorInfo is made of.
struct ClusterStatus {
  // Empty: no scheduler, the work runs in this process.
  std::string address;
  std::string host;
  std::string version;
  // Empty: none.
  std::string dashboard;
  int64_t workers = 0;
  // Threads of all workers together.
  int64_t cores = 0;
  // Sum of the workers' limits; 0: they have none.
  int64_t memory_bytes = 0;
  // Nanoseconds since 1970-01-01 UTC.
  int64_t started_ns = 0;
  // Why it is not ready, or empty.
  std::string not_ready;
};
absl::StatusOr<ClusterStatus> GetCluster(Executor* executor);

// The address that the executor is connected to; empty in this process.
std::string SchedulerAddress(const Executor* executor);

struct WorkerStatus {
  std::string id;
  std::string name;
  std::string host;
  int64_t pid = 0;
  // "running", "paused", "draining".
  std::string state;
  int64_t cores = 0;
  // 0: none.
  int64_t memory_limit_bytes = 0;
  int64_t memory_bytes = 0;
  int64_t tasks_done = 0;
  int64_t tasks_leased = 0;
  // Nanoseconds since 1970-01-01 UTC.
  int64_t joined_ns = 0;
  int64_t heard_ns = 0;
};
// The scheduler's workers. Errors: kUnimplemented for an executor of this
// process.
absl::StatusOr<std::vector<WorkerStatus>> ListWorkers(Executor* executor);
// Lets a worker finish what it runs, and leave.
absl::Status DrainWorker(Executor* executor, const std::string& worker_id);

// The processes of a local cluster: the scheduler's, then the worker daemon's;
// empty for other executors. For measurements.
std::vector<int64_t> LocalClusterPids(const Executor& executor);

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_CLUSTER_H_
