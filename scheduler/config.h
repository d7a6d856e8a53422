#ifndef INTERNODE_SCHEDULER_CONFIG_H_
#define INTERNODE_SCHEDULER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/log.h"
#include "rpc/server.h"
#include "scheduler/core/options.h"
#include "scheduler/spool/job_spool.h"

namespace internode::scheduler {

// What the operator chose. docs/operations.md lists the flags.
struct Config {
  std::string listen_host = "127.0.0.1";
  int listen_port = 8786;
  bool http = true;
  std::string http_host = "127.0.0.1";
  int http_port = 8787;
  // Host names, besides this machine's, that HTTP answers to.
  std::vector<std::string> http_names;
  // PEM files; empty: no TLS.
  std::string tls_cert;
  std::string tls_key;
  // Whose certificates let their bearers in; empty: nobody's.
  std::string tls_client_ca;
  // The list of tokens; empty: none are asked for.
  std::string tokens;
  // Strangers may connect.
  bool insecure = false;
  std::string state_dir;
  Durability durability = Durability::kFsync;
  absl::Duration retain = absl::Hours(7 * 24);
  // Empty: none is written.
  std::string scheduler_file;
  absl::Duration worker_timeout = absl::Seconds(30);
  absl::Duration heartbeat_interval = absl::Seconds(1);
  // A process that runs one task for longer is restarted.
  absl::Duration task_timeout = absl::InfiniteDuration();
  int64_t reserve_bytes = int64_t{256} << 20;
  // Of what arrives and is not yet a message; rpc/server.h.
  int64_t buffer_bytes = rpc::kDefaultBufferBytes;
  // Limits: docs/operations.md. Below 0: none.
  int64_t max_message_bytes = rpc::kMaxMessageBytes;
  int64_t max_streams = 1000;
  int64_t max_jobs = 10'000;
  int64_t max_tasks = core::kMostTasks;
  int64_t max_job_spool = -1;
  int64_t max_client_spool = -1;
  bool reflection = false;
  LogOptions log;
  // -1: none.
  int ready_fd = -1;
  int lifeline_fd = -1;
};

// Reads the command line and the environment. Errors (kInvalidArgument): what
// is wrong, in one line. kCancelled: help or the version was printed.
absl::StatusOr<Config> ParseConfig(int argc, char** argv);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_CONFIG_H_
