#ifndef INTERNODE_SCHEDULER_CONFIG_H_
#define INTERNODE_SCHEDULER_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/log.h"
#include "rpc/server.h"
#include "scheduler/spool/job_spool.h"

namespace internode::scheduler {

// What the operator chose. docs/operation.md lists the flags.
struct Config {
  std::string listen_host = "127.0.0.1";
  int listen_port = 8786;
  bool http = true;
  std::string http_host = "127.0.0.1";
  int http_port = 8787;
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
