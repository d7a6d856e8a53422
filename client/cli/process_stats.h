#ifndef INTERNODE_CLIENT_CLI_PROCESS_STATS_H_
#define INTERNODE_CLIENT_CLI_PROCESS_STATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace internode::cli {

// What /proc says of one process.
struct ProcessStats {
  int64_t pid = 0;
  int64_t parent = 0;
  std::string name;
  // User and system time of all its threads.
  double cpu_seconds = 0;
  int64_t rss_bytes = 0;
};

// Reads the line of /proc/PID/stat; false when it is not one.
bool ParseProcessStat(absl::string_view line, ProcessStats* stats);

// The processes `roots` that there are, with all their descendants, by pid.
std::vector<ProcessStats> ReadProcessTree(const std::vector<int64_t>& roots);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_PROCESS_STATS_H_
