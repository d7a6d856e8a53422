#ifndef INTERNODE_WORKER_ENGINE_FRAME_BUFFER_H_
#define INTERNODE_WORKER_ENGINE_FRAME_BUFFER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "core/interval_set.h"
#include "worker/engine/work_queue.h"

namespace internode::worker {

// The frames that the scheduler has not acknowledged. Thread-compatible.
class FrameBuffer {
 public:
  // The connection ended: no lease is live any more, and what was sent waits to
  // be sent again.
  void Restart();
  // So many bytes may be on the way at a time.
  void set_window(int64_t window_bytes) { window_bytes_ = window_bytes; }

  // A frame's tasks that `dropped` holds are cut out of it.
  void Add(std::shared_ptr<LeaseState> lease, core::Interval tasks,
           std::string bytes, absl::Duration busy,
           const core::IntervalSet& dropped);

  // Appends what may be sent now.
  void TakeSendable(std::vector<Outgoing>* out);

  // All frames up to `sequence` are the scheduler's now.
  void Acknowledge(uint64_t sequence);

  // What is held of each job.
  void AddOffers(std::map<JobId, core::IntervalSet>* offers) const;

  // Of the job's frames under leases that are not live, keeps `wanted`, under
  // `lease`. Returns what was kept.
  core::IntervalSet Keep(JobId job, const core::IntervalSet& wanted,
                         const std::shared_ptr<LeaseState>& lease);

  // Drops results: of these tasks under the lease, of the whole job.
  void Drop(JobId job, LeaseId lease, const core::IntervalSet& tasks);
  void DropJob(JobId job);

  int64_t held_bytes() const { return held_bytes_; }
  bool empty() const { return waiting_.empty() && held_bytes_ == 0; }

 private:
  struct Held {
    std::shared_ptr<LeaseState> lease;
    core::Interval tasks;
    // Null: sent, and dropped since.
    std::shared_ptr<const std::string> bytes;
    absl::Duration busy;
    uint64_t sequence = 0;
    int64_t size = 0;
  };

  void Release(Held* held);
  // Appends to `out` what is left of `held` without `dropped`.
  void Cut(Held held, const core::IntervalSet& dropped, std::deque<Held>* out);

  int64_t window_bytes_ = 0;
  // In the order of their sequence numbers.
  std::deque<Held> sent_;
  std::deque<Held> waiting_;
  uint64_t last_sequence_ = 0;
  int64_t in_flight_bytes_ = 0;
  int64_t held_bytes_ = 0;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_FRAME_BUFFER_H_
