#ifndef INTERNODE_SCHEDULER_CORE_LEASE_H_
#define INTERNODE_SCHEDULER_CORE_LEASE_H_

#include <optional>

#include "absl/container/inlined_vector.h"

#include "scheduler/core/ids.h"
#include "scheduler/core/nanos.h"

namespace internode::scheduler::core {

struct JobRecord;
struct WorkerRecord;

// Tasks of one job that one worker holds. Owned by the worker's record; it
// ends, and is deleted, when nothing remains.
struct Lease {
  LeaseId id;
  JobRecord* job = nullptr;
  WorkerRecord* worker = nullptr;
  // What was granted: one interval, or what was kept of an offer.
  absl::InlinedVector<Interval, 1> granted;
  // What the worker has not delivered, failed or given back.
  IntervalSet remaining;
  // Kept of an offer: frames made under an earlier lease may reach beyond it.
  bool offered = false;
  // Suspects, run alone.
  bool alone = false;
  Nanos granted_at = 0;
  // How long a copy of its tasks is waited for before another is made, at the
  // least: grows with each.
  Nanos patience = 0;
  // What the job was charged for each task; 0: nothing.
  Nanos charged = 0;
  // What the worker was asked to give back, and when; it has not answered.
  std::optional<Interval> asked;
  Nanos asked_at = 0;
  // It kept some of what it was asked to give back, so it has started them:
  // it is not asked again.
  bool kept = false;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_LEASE_H_
