#ifndef INTERNODE_SCHEDULER_ENGINE_SPOOL_WRITER_H_
#define INTERNODE_SCHEDULER_ENGINE_SPOOL_WRITER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "base/clock.h"
#include "scheduler/core/action.h"
#include "scheduler/engine/metrics.h"
#include "scheduler/engine/received_frame.h"
#include "scheduler/engine/recent_frames.h"
#include "scheduler/engine/strand.h"
#include "scheduler/spool/spool.h"

namespace internode::scheduler {

// A frame on its way into the spool; of its tasks only `wanted` count.
struct FrameToWrite {
  core::FrameId id;
  core::JobId job;
  core::Intervals wanted;
  std::shared_ptr<const ReceivedFrame> frame;
};

// The thread that writes the spool, so that neither a slow disk nor a full one
// stalls leases and heartbeats. Frames that wait are written and synced
// together. A frame stays here until it is durable: while the disk is full or
// fails it waits, and is written when a probe says that the disk is well again;
// what a failed sync may have lost is written again.
// Thread-safe, but for Start, Stop and RunTurn.
class SpoolWriter {
 public:
  // Called on the writer's thread; must not block.
  struct Handler {
    // These frames are durable, and can be read.
    std::function<void(std::vector<core::FrameId>)> committed;
    // Will never be durable: there is no such job.
    std::function<void(core::FrameId)> lost;
    // The disk cannot be written; a reason for people. Again when the reason
    // changes.
    std::function<void(std::string)> blocked;
    std::function<void()> resumed;
  };

  // How often a disk that is full or fails is tried.
  static constexpr absl::Duration kProbeInterval = absl::Seconds(1);

  // `spool`, of which the writer is the writing thread, and `recent`, which is
  // given what became durable, outlive it.
  SpoolWriter(const Clock* clock, Spool* spool, RecentFrames* recent,
              Handler handler);

  void Start();
  // Writes what can be written of what waits, then ends the threads.
  void Stop();
  // As Strand::RunTurn.
  bool RunTurn();

  // Begins the spool of a new job. If it cannot be, that is tried again before
  // its first frame is written.
  void Create(core::JobId job);
  void Write(FrameToWrite frame);
  // Deletes the job and its frames; on a thread of its own, since that takes
  // the longer the more there are.
  void Forget(core::JobId job);

  // Bytes of the frames that were not reported as durable or lost.
  int64_t waiting_bytes() const { return waiting_bytes_.load(); }
  Histogram::Counts commit_seconds() const { return commit_seconds_.counts(); }

 private:
  void EndTurn();
  void ForgetNow(core::JobId job);
  // Writes frames from the front of the queue, and commits them.
  void WriteWaiting();
  absl::Status Append(const FrameToWrite& frame);
  // Commits the first `num_appended` frames of the queue.
  void Commit(size_t num_appended);
  void Drop(const FrameToWrite& frame);
  void Block(const std::string& reason);
  void Probe();

  const Clock* const clock_;
  Spool* const spool_;
  RecentFrames* const recent_;
  const Handler handler_;

  // The writer's.
  std::deque<FrameToWrite> queue_;
  std::set<core::JobId> to_create_;
  std::set<core::JobId> to_forget_;
  std::string blocked_;
  absl::Time probe_at_ = absl::InfiniteFuture();

  std::atomic<int64_t> waiting_bytes_ = 0;
  Histogram commit_seconds_;
  Strand cleaner_;
  // Last: its thread uses the others.
  Strand strand_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_SPOOL_WRITER_H_
