#include "worker/http/facts.h"

#include "http/metric_families.h"

namespace internode::worker {

std::string NotReady(const DaemonFacts& facts) {
  if (facts.draining) return "it drains";
  if (!facts.connected) return "it is not connected to the scheduler";
  if (facts.processes_running == 0) return "none of its processes runs";
  return "";
}

std::string MetricsText(const DaemonFacts& facts) {
  http::MetricFamilies all;
  const auto gauge = [&all](const char* name, auto value, const char* help) {
    all.Gauge(name, static_cast<double>(value), help);
  };
  gauge("internode_worker_connected", facts.connected ? 1 : 0,
        "Whether the worker is connected to the scheduler.");
  gauge("internode_worker_draining", facts.draining ? 1 : 0,
        "Whether the worker takes no more work.");
  gauge("internode_worker_processes", facts.processes,
        "Processes that there are to be.");
  gauge("internode_worker_processes_running", facts.processes_running,
        "Processes that run.");
  gauge("internode_worker_threads", facts.processes * facts.threads_per_process,
        "Compute threads of all processes.");
  gauge("internode_worker_threads_busy", facts.threads_busy,
        "Compute threads that run a task.");
  gauge("internode_worker_memory_bytes", facts.memory_bytes,
        "Resident memory of the supervisor and its processes.");
  gauge("internode_worker_memory_limit_bytes", facts.memory_limit_bytes,
        "What they may have together; 0: no limit.");
  all.Counter("internode_worker_processes_died_total", facts.processes_died,
              "Processes that ended by themselves or were killed.");
  const auto counter = [&all](const char* name, int64_t value,
                              const char* help) {
    all.Counter(name, static_cast<uint64_t>(value), help);
  };
  counter("internode_worker_storage_chunks_decoded_total",
          facts.read.chunks_decoded,
          "Storage chunks that were decoded, without the HDF5 library.");
  counter("internode_worker_storage_chunks_reused_total",
          facts.read.chunks_reused,
          "Times that a decoded storage chunk was there already.");
  counter("internode_worker_storage_chunks_absent_total",
          facts.read.chunks_absent,
          "Storage chunks that were wanted and had never been written.");
  counter("internode_worker_decoded_bytes_total", facts.read.decoded_bytes,
          "Bytes of the storage chunks that were decoded.");
  counter("internode_worker_read_bytes_total", facts.read.read_bytes,
          "Bytes that were read from files, without the HDF5 library.");
  return all.Text();
}

}  // namespace internode::worker
