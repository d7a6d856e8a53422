#include "worker/rpc/event_loop.h"

#include <algorithm>

#include "absl/time/clock.h"

#include "worker/engine/monotonic_clock.h"

namespace internode::worker {
namespace {

// Timers go by the monotonic clock and waits by the wall's: should that be set
// back, a timer is so much late at most.
constexpr absl::Duration kLongestWait = absl::Seconds(1);

}  // namespace

void EventLoop::Post(Task task) {
  MutexLock lock(&mu_);
  tasks_.push_back(std::move(task));
}

EventLoop::TimerId EventLoop::PostAfter(absl::Duration delay, Task task) {
  const TimerId id = {NowNanos() + absl::ToInt64Nanoseconds(delay),
                      ++last_timer_};
  timers_.emplace(id, std::move(task));
  return id;
}

void EventLoop::Cancel(TimerId id) { timers_.erase(id); }

void EventLoop::Stop() {
  MutexLock lock(&mu_);
  stopped_ = true;
}

bool EventLoop::TimerIsDue() const {
  return !timers_.empty() && timers_.begin()->first.first <= NowNanos();
}

absl::Time EventLoop::Deadline() const {
  if (timers_.empty()) return absl::InfiniteFuture();
  const absl::Duration left =
      absl::Nanoseconds(timers_.begin()->first.first - NowNanos());
  return absl::Now() + std::min(left, kLongestWait);
}

std::vector<EventLoop::Task> EventLoop::Next() {
  std::vector<Task> tasks;
  if (TimerIsDue()) {
    tasks.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
    return tasks;
  }
  MutexLock lock(&mu_);
  mu_.AwaitWithDeadline(
      [this] {
        mu_.AssertHeld();
        return stopped_ || !tasks_.empty();
      },
      Deadline());
  tasks.swap(tasks_);
  return tasks;
}

void EventLoop::Run() {
  for (;;) {
    {
      MutexLock lock(&mu_);
      if (stopped_) return;
    }
    for (const Task& task : Next()) task();
  }
}

}  // namespace internode::worker
