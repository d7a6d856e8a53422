#ifndef INTERNODE_SCHEDULER_ENGINE_STRAND_H_
#define INTERNODE_SCHEDULER_ENGINE_STRAND_H_

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

#include "base/clock.h"
#include "base/mutex.h"

namespace internode::scheduler {

// Runs what is posted, one after the other, in turns: a turn takes all that
// waits, runs it, and ends with a hook. What is posted from one thread runs in
// the order in which it was posted. An idle strand sleeps until something is
// posted or its wakeup is due, and then runs at once. Thread-safe, but for
// Start, Stop and RunTurn.
class Strand {
 public:
  using Task = absl::AnyInvocable<void()>;

  struct Hooks {
    // After the tasks of each turn.
    std::function<void()> turn_end;
    // When the next turn is due even if nothing is posted; InfiniteFuture if
    // never. Asked after each turn.
    std::function<absl::Time()> next_wakeup;
  };

  Strand(const Clock* clock, Hooks hooks);
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;
  ~Strand();

  // Runs turns on a thread of its own from now on.
  void Start();
  // Runs what was posted before, then ends the thread. What is posted later
  // never runs. Idempotent.
  void Stop();
  // Runs one turn on the caller's thread, where Start was not called. Returns
  // false, and does nothing, if nothing waits and no wakeup is due.
  bool RunTurn();

  void Post(Task task);

  // Tasks that wait.
  int64_t num_waiting() const;

 private:
  void Run();
  void RunTasks(std::vector<Task>* tasks);

  const Clock* const clock_;
  const Hooks hooks_;
  std::thread thread_;

  mutable Mutex mu_;
  std::vector<Task> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_STRAND_H_
