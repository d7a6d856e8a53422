#ifndef INTERNODE_SCHEDULER_ENGINE_WORKERS_H_
#define INTERNODE_SCHEDULER_ENGINE_WORKERS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/ids.h"
#include "scheduler/engine/links.h"

// What the engine knows of workers and their streams, beside what the core
// does. Plain values, owned by the engine's strand.

namespace internode::scheduler {

// A worker process, or a supervisor.
struct Worker {
  core::WorkerId id;
  std::string process_id;
  std::string supervisor_id;
  std::string name;
  std::string host;
  int64_t pid = 0;
  int slots = 0;
  int64_t memory_limit_bytes = 0;
  std::vector<std::string> functions_json;

  // Of the last connection.
  core::Epoch epoch = 0;
  absl::Time joined;
  absl::Time heard;
  // 0: not connected.
  LinkId control = 0;
  // 0: not attached.
  LinkId data = 0;
  uint64_t session = 0;
  bool paused = false;
  bool draining = false;
  int64_t memory_bytes = 0;
  int64_t tasks_done = 0;
  // The jobs whose plans it has.
  std::set<core::JobId> plans;

  bool supervisor() const { return slots == 0; }
};

// A control stream; `worker` is null until it said Hello.
struct ControlStream {
  std::shared_ptr<ControlLink> link;
  Worker* worker = nullptr;
};

// A data stream; `worker` is null until it attached.
struct DataStream {
  struct PendingFrame {
    core::FrameId id;
    uint64_t sequence = 0;
    int64_t num_bytes = 0;
    bool settled = false;
  };

  std::shared_ptr<DataLink> link;
  Worker* worker = nullptr;
  core::Epoch epoch = 0;
  uint64_t last_sequence = 0;
  // To be acknowledged at the end of the turn; 0: nothing.
  uint64_t ack_sequence = 0;
  int64_t ack_bytes = 0;
  // Not acknowledged, in the order of arrival.
  std::deque<PendingFrame> pending;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_WORKERS_H_
