#ifndef INTERNODE_SCHEDULER_CORE_WORKER_RECORD_H_
#define INTERNODE_SCHEDULER_CORE_WORKER_RECORD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/core/durations.h"
#include "scheduler/core/event.h"
#include "scheduler/core/ids.h"
#include "scheduler/core/job_record.h"
#include "scheduler/core/lease.h"
#include "scheduler/core/nanos.h"

namespace internode::scheduler::core {

// All state of one connected worker process.
struct WorkerRecord {
  explicit WorkerRecord(WorkerId worker) : id(worker) {}

  // How long its leases should take it from now on.
  Nanos Queued() const;
  // Sets dry_at and due_at, by what it holds now. Unless `anew`, they are not
  // put off: that it has less to do does not make it less late.
  void Judge(Nanos now, bool anew);
  // Whether it should have another lease: it has fewer tasks than slots, or
  // none beyond, or less to do than a lease takes.
  bool Wants(Nanos target) const;
  // Tasks that it should not have started, and can be asked to give back.
  int64_t Unstarted() const;
  // The last lease with such tasks, and how many it has; null if there is none.
  std::pair<Lease*, int64_t> LastUnstarted() const;
  // Whether it runs suspects.
  bool RunsAlone() const;

  const WorkerId id;
  Epoch epoch = 0;
  int64_t slots = 1;
  bool paused = false;
  bool draining = false;
  // Tasks were taken from it since it was silent: it gets nothing until it is
  // heard.
  bool unheard = false;
  // Leases were revoked: it may still run what it had begun of them.
  bool may_run_revoked = false;
  // Emptied for, or running, suspects: gets nothing else.
  bool alone = false;
  bool restart_asked = false;
  // In the core's list of workers to look at before the turn ends.
  bool touched = false;

  // In the order in which it runs them.
  std::vector<std::unique_ptr<Lease>> leases;
  // The tasks that remain in them.
  int64_t num_tasks = 0;
  Place place;
  Slowness slowness;
  std::vector<RunningTask> running;

  Nanos last_seen = 0;
  // Its key in the core's index of silences.
  Nanos silent_at = 0;
  // When it should have delivered all that it holds.
  Nanos dry_at = 0;
  // The same, if it were not slower than the mean: one that is slower is
  // overdue before it should have delivered.
  Nanos due_at = 0;
  // All that it holds is held by another worker too: that it is late does not
  // matter before this time.
  Nanos copied_until = 0;

  // Its keys in the core's indexes; nothing while not in them.
  std::optional<int64_t> hungry_key;
  std::optional<Nanos> loaded_key;
  std::optional<Nanos> overdue_key;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_WORKER_RECORD_H_
