#ifndef INTERNODE_WORKER_RPC_EVENT_LOOP_H_
#define INTERNODE_WORKER_RPC_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "base/mutex.h"

namespace internode::worker {

// Runs what is posted, one after the other, on the thread that calls Run: the
// owner of connections, which must never be dropped on a thread of gRPC.
// Thread-safe.
class EventLoop {
 public:
  using Task = std::function<void()>;
  // Of a timer that was set.
  using TimerId = std::pair<int64_t, uint64_t>;

  void Post(Task task);
  // On the loop's thread only.
  TimerId PostAfter(absl::Duration delay, Task task);
  void Cancel(TimerId id);

  // Until Stop. What is posted after that is not run.
  void Run();
  void Stop();

 private:
  std::vector<Task> Next();
  bool TimerIsDue() const;
  absl::Time Deadline() const;

  // Of the loop's thread. By when it is due, on the monotonic clock.
  std::map<TimerId, Task> timers_;
  uint64_t last_timer_ = 0;

  Mutex mu_;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_RPC_EVENT_LOOP_H_
