#ifndef INTERNODE_SCHEDULER_ENGINE_RECENT_FRAMES_H_
#define INTERNODE_SCHEDULER_ENGINE_RECENT_FRAMES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "scheduler/core/ids.h"
#include "scheduler/engine/received_frame.h"

namespace internode::scheduler {

// The frames that became durable last, so that who fetches as fast as workers
// send gets them from memory: not read again, nor checked again. The oldest go
// first. Thread-safe.
class RecentFrames {
 public:
  explicit RecentFrames(int64_t most_bytes) : most_bytes_(most_bytes) {}

  // All tasks of the frame are in the spool, as it has them.
  void Add(core::JobId job, std::shared_ptr<const ReceivedFrame> frame);
  // The frame that begins with `task`, or null.
  std::shared_ptr<const ReceivedFrame> Find(core::JobId job,
                                            int64_t task) const;
  void Forget(core::JobId job);

 private:
  // The job, and the first task of a frame.
  using Key = std::pair<core::JobId, int64_t>;
  using Frames = std::map<Key, std::shared_ptr<const ReceivedFrame>>;

  Frames::iterator EraseLocked(Frames::iterator it)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t most_bytes_;
  mutable Mutex mu_;
  Frames frames_ ABSL_GUARDED_BY(mu_);
  // In the order in which they came; some may be gone.
  std::deque<Key> order_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_RECENT_FRAMES_H_
