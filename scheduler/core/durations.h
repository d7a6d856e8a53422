#ifndef INTERNODE_SCHEDULER_CORE_DURATIONS_H_
#define INTERNODE_SCHEDULER_CORE_DURATIONS_H_

#include <cstdint>

#include "scheduler/core/nanos.h"

namespace internode::scheduler::core {

// How long a slot is busy with one task of a job, by what was measured; the
// recent past counts most. A value; thread-compatible.
class TaskDuration {
 public:
  // `tasks` > 0 took `busy` in sum; what is out of bounds is moved into them.
  void Measure(int64_t tasks, Nanos busy);

  bool measured() const { return measured_ > 0; }
  // How many tasks were ever measured.
  int64_t num_measured() const { return measured_; }
  // At least 1 ns. One second while nothing was measured.
  Nanos mean() const { return mean_; }

 private:
  int64_t measured_ = 0;
  int64_t tasks_ = 0;
  Nanos busy_ = 0;
  Nanos mean_ = kSecond;
};

// How much slower one worker is than the mean of all, by what was measured. A
// value; thread-compatible.
class Slowness {
 public:
  // 1 is kUnit; kept within 1/16 and 64.
  static constexpr int64_t kUnit = 1024;

  // Tasks that take `expected` on a mean worker took `busy` here.
  void Measure(Nanos expected, Nanos busy);

  int64_t units() const { return units_; }

 private:
  Nanos expected_ = kSecond;
  Nanos busy_ = kSecond;
  int64_t units_ = kUnit;
};

// What the size of a lease depends on.
struct LeaseRequest {
  // Of the job: tasks that wait, and how long they take.
  int64_t waiting = 0;
  TaskDuration duration = {};
  // Of the worker.
  int64_t slots = 1;
  int64_t slowness_units = Slowness::kUnit;
  // Of all workers.
  int64_t all_slots = 1;
  Nanos target = kSecond;
  Nanos least = 10 * kMillisecond;
};

// How many tasks a lease should have, at least 1: what takes the worker
// `target`; but not more than half of an equal share of what is left (guided
// self-scheduling: Polychronopoulos and Kuck 1987; the half, so that the sizes
// fall in time where durations vary: factoring, Hummel, Schonberg and Flynn
// 1992) unless that takes less than `least`; and while few tasks were
// measured, not more than 16 times as many, but for one for each slot.
int64_t LeaseSize(const LeaseRequest& request);

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_DURATIONS_H_
