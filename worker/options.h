#ifndef INTERNODE_WORKER_OPTIONS_H_
#define INTERNODE_WORKER_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/listen_address.h"
#include "base/log.h"
#include "rpc/credentials.h"

namespace internode::worker {

// What the daemon was asked to do.
struct WorkerOptions {
  // One of them is given.
  std::string scheduler;
  std::string scheduler_file;

  int num_processes = 1;
  // Of each process.
  int num_slots = 1;
  std::vector<std::string> data_roots;
  std::vector<std::string> function_path;
  // Folders that HDF5 may load filters from; without any it loads none.
  std::vector<std::string> hdf5_plugins;
  rpc::ConnectionSecurity security;
  // Probes and metrics are served there; none: nothing listens.
  std::optional<ListenAddress> http;
  std::vector<std::string> http_names;
  // List of the tokens whose bearers may read the metrics.
  std::string http_tokens;
  // Of the whole daemon; 0: none.
  int64_t memory_limit = 0;
  absl::Duration lifetime = absl::InfiniteDuration();
  absl::Duration death_timeout = absl::InfiniteDuration();
  absl::Duration drain_timeout = absl::Seconds(30);
  std::string name;
  LogOptions log;
  // -1: none.
  int ready_fd = -1;
  int lifeline_fd = -1;

  // Of a process that a supervisor starts: its number from 1, else 0.
  int process = 0;
  int page_fd = -1;
  int report_fd = -1;
};

// What main is to do: run as `options` say, or print `text` and end with
// `exit_code`.
struct ParsedOptions {
  std::optional<WorkerOptions> options;
  std::string text;
  int exit_code = 0;
};

// Parses the command line and the environment variables INTERNODE_WORKER_…
ParsedOptions ParseOptions(int argc, char** argv);

// The scheduler's address: the option, or what the scheduler file says now.
// Errors: kNotFound, no such file yet; kInvalidArgument.
absl::StatusOr<std::string> SchedulerAddress(const WorkerOptions& options);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_OPTIONS_H_
