#ifndef INTERNODE_SCHEDULER_ENGINE_LINKS_H_
#define INTERNODE_SCHEDULER_ENGINE_LINKS_H_

#include <cstdint>

#include "absl/status/status.h"

#include "internode/v1/client.pb.h"
#include "internode/v1/worker.pb.h"

// What the engine speaks to: the far ends of streams, as it sees them. Called
// on the engine's strand; must not block, and may do nothing once the stream
// has ended.

namespace internode::scheduler {

// A stream of the engine: never used twice, never 0.
using LinkId = uint64_t;

// A worker's control stream.
class ControlLink {
 public:
  virtual ~ControlLink() = default;
  virtual void Send(v1::SchedulerMessage message) = 0;
  // What was sent before may be lost.
  virtual void Close(const absl::Status& status) = 0;
};

// A worker's data stream.
class DataLink {
 public:
  virtual ~DataLink() = default;
  // All frames up to `sequence` are acknowledged; `bytes` of them are new.
  virtual void Acknowledge(uint64_t sequence, int64_t bytes) = 0;
  virtual void Close(const absl::Status& status) = 0;
};

// Who watches a job.
class JobWatcher {
 public:
  virtual ~JobWatcher() = default;
  virtual void Update(const v1::JobInfo& info) = 0;
  // The last call. OK: the job has ended.
  virtual void End(const absl::Status& status) = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_LINKS_H_
