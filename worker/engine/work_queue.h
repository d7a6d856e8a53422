#ifndef INTERNODE_WORKER_ENGINE_WORK_QUEUE_H_
#define INTERNODE_WORKER_ENGINE_WORK_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/interval_set.h"
#include "worker/engine/messages.h"
#include "worker/engine/worker_job.h"

namespace internode::worker {

// A job as far as this process has to do with it.
struct JobState {
  explicit JobState(JobId job_id) : id(job_id) {}

  const JobId id;
  std::shared_ptr<const JobRequest> request;
  // Null: not planned yet.
  std::shared_ptr<const WorkerJob> opened;
  // A slot plans it now.
  bool opening = false;
  // What one task takes; 0: not known.
  double task_ns = 0;
  // The job ended: nothing of it is wanted. Read by slots without the lock.
  std::atomic<bool> forgotten{false};
};

struct LeaseState {
  LeaseId id = 0;
  std::shared_ptr<JobState> job;
  bool alone = false;
  // Of the connection that there is. If not, what was done under it waits for
  // the answer to its offer.
  bool live = true;
  core::IntervalSet unstarted;
};

// The tasks that no slot has taken yet, lease after lease.
// Thread-compatible.
class WorkQueue {
 public:
  using LeasePtr = std::shared_ptr<LeaseState>;

  void Add(LeasePtr lease, bool front);

  // Gives tasks back to a lease that they were taken from.
  void Return(const LeasePtr& lease, core::Interval tasks);

  // The lease to take tasks from next; null: none whose job is not being
  // planned.
  LeasePtr First();

  // The run that a slot is to take of `lease`: from `preferred` on if that is
  // there, else from the first task on; `slots` share the lease, but none takes
  // less than `least` if there are as many.
  core::Interval Choose(const LeaseState& lease,
                        std::optional<int64_t> preferred, int slots,
                        int64_t least) const;
  void Take(const LeasePtr& lease, core::Interval tasks);

  // The first task that is not in `taken`, to be read ahead. Null lease: none.
  struct Place {
    LeasePtr lease;
    int64_t task = 0;

    friend bool operator==(const Place&, const Place&) = default;
  };
  Place Ahead(const std::vector<Place>& taken, int slots) const;

  LeasePtr Find(JobId job, LeaseId lease) const;

  // Removes and returns leases with tasks that were not started: all, or those
  // of one job.
  std::vector<LeasePtr> RemoveAll();
  std::vector<LeasePtr> RemoveJob(const JobState* job);

  bool empty() const { return leases_.empty(); }

 private:
  // Leases with unstarted tasks, or whose last ones were just taken.
  std::deque<LeasePtr> leases_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_ENGINE_WORK_QUEUE_H_
