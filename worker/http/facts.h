#ifndef INTERNODE_WORKER_HTTP_FACTS_H_
#define INTERNODE_WORKER_HTTP_FACTS_H_

#include <cstdint>
#include <string>

#include "cube/read_counters.h"

namespace internode::worker {

// A snapshot of a worker daemon, for probes and Prometheus.
struct DaemonFacts {
  // Of the supervisor's own connection to the scheduler.
  bool connected = false;
  bool draining = false;
  // Processes that run, of those that there are to be, and threads of each.
  int64_t processes_running = 0;
  int64_t processes = 0;
  int64_t threads_per_process = 0;
  // Threads that run a task now.
  int64_t threads_busy = 0;
  // Processes that ended by themselves, or were killed, since the start.
  uint64_t processes_died = 0;
  // What the processes read, as they said last.
  cube::ReadCounters read;
  // Resident, of the supervisor and its processes together.
  int64_t memory_bytes = 0;
  // 0: none.
  int64_t memory_limit_bytes = 0;
};

// Why it cannot work now; empty: it can.
std::string NotReady(const DaemonFacts& facts);

// In Prometheus' text format. docs/operations.md names the metrics.
std::string MetricsText(const DaemonFacts& facts);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_HTTP_FACTS_H_
