#include "cube/ordered_work.h"

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace internode::cube {
namespace {

absl::Status Guarded(const WorkStep& step, int thread, int64_t number) {
  try {
    return step(thread, number);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

// What the threads share. Thread-safe.
class Crew {
 public:
  Crew(int64_t count, const std::atomic<bool>* cancel, const WorkStep& work,
       const WorkStep& deliver)
      : count_(count), cancel_(cancel), work_(work), deliver_(deliver) {}

  void Work(int thread) {
    int64_t number = 0;
    while (Begin(&number)) {
      absl::Status status = Guarded(work_, thread, number);
      if (status.ok() && deliver_ == nullptr) continue;
      if (deliver_ != nullptr && !AwaitTurn(number)) return;
      if (status.ok()) status = Guarded(deliver_, thread, number);
      End(number, std::move(status));
    }
  }

  absl::Status status() {
    MutexLock lock(&mutex_);
    return status_;
  }

 private:
  bool Begin(int64_t* number) {
    MutexLock lock(&mutex_);
    if (!status_.ok() || next_ == count_) return false;
    if (cancel_ != nullptr && cancel_->load()) {
      status_ = absl::CancelledError("cancelled");
      return false;
    }
    *number = next_++;
    return true;
  }

  // Ends: numbers are given out in order, so that whoever has the turn is at
  // work; or somebody has failed.
  bool AwaitTurn(int64_t number) {
    MutexLock lock(&mutex_);
    mutex_.Await([this, number]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return turn_ == number || !status_.ok();
    });
    return status_.ok();
  }

  void End(int64_t number, absl::Status status) {
    MutexLock lock(&mutex_);
    turn_ = number + 1;
    if (status_.ok()) status_ = std::move(status);
  }

  const int64_t count_;
  const std::atomic<bool>* const cancel_;
  const WorkStep& work_;
  const WorkStep& deliver_;

  Mutex mutex_;
  // The number that is begun next, and that which is delivered next.
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t turn_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status RunWork(int threads, int64_t count,
                     const std::atomic<bool>* cancel, const WorkStep& work,
                     const WorkStep& deliver) {
  Crew crew(count, cancel, work, deliver);
  std::vector<std::thread> others;
  for (int t = 1; t < std::min<int64_t>(threads, count); ++t) {
    try {
      others.emplace_back([&crew, t] { crew.Work(t); });
    } catch (const std::system_error&) {
      // The machine has no more threads; those that there are do the work.
      break;
    }
  }
  crew.Work(0);
  for (std::thread& thread : others) thread.join();
  return crew.status();
}

}  // namespace internode::cube
