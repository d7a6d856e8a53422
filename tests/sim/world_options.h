#ifndef INTERNODE_TESTS_SIM_WORLD_OPTIONS_H_
#define INTERNODE_TESTS_SIM_WORLD_OPTIONS_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/event.h"
#include "scheduler/core/options.h"

namespace internode::sim {

// How often things go wrong. Probabilities are per message or per task; rates
// are per worker and hour of virtual time; durations are between two of a kind,
// in the mean.
struct Faults {
  double deaths_per_hour = 0;
  // The process hangs for up to two worker ttls, and comes back.
  double freezes_per_hour = 0;
  // The connection is cut; the process goes on, and reconnects.
  double cuts_per_hour = 0;
  // The worker's disk is slow: for up to 20 s its tasks take 8 times as long.
  double slow_disks_per_hour = 0;
  // The worker's buffers are full for up to 2 s.
  double pauses_per_hour = 0;
  // The worker drains, told by the scheduler or by itself; another process
  // takes its place some seconds after it has left.
  double drains_per_hour = 0;
  // A tenth of the workers cannot be reached for up to two worker ttls, and
  // the scheduler is not told.
  absl::Duration partitions = absl::InfiniteDuration();
  // Frames that are sent twice, and that are up to 2 s late.
  double duplicates = 0;
  double delays = 0;
  // Tasks that fail once, retryably, for each that does not.
  double flaky_tasks = 0;
  // Every so many tasks, counted from the first, one kills its process; 0:
  // none.
  int64_t poison_every = 0;
  // The scheduler is killed and started again.
  absl::Duration scheduler_restarts = absl::InfiniteDuration();
  // The spool is full for a second; half of the time what was not yet durable
  // is lost.
  absl::Duration spool_blocks = absl::InfiniteDuration();
  // The spool's disk is slow: for 5 s a commit takes 300 ms.
  absl::Duration spool_slow = absl::InfiniteDuration();
  // The whole scheduler process is stopped for two worker ttls.
  absl::Duration scheduler_stops = absl::InfiniteDuration();
};

// A client's job.
struct SimJob {
  scheduler::core::JobSubmitted submission;
  absl::Duration submit_at;
  absl::Duration cancel_at = absl::InfiniteDuration();
  // Once it was cancelled, it is forgotten too.
  bool forget = false;
  // Its tasks take so many times the mean.
  double scale = 1;
};

struct WorldOptions {
  uint64_t seed = 1;
  int64_t num_workers = 10;
  int slots = 1;
  // The speeds of workers are spread evenly over 1 +- this.
  double speed_spread = 0;
  // The work of a task, at speed 1: exponential with this mean, cut at 8 times
  // the mean; or constant.
  absl::Duration mean_task = absl::Milliseconds(10);
  bool constant_tasks = false;
  // A slot delivers what it has so often.
  absl::Duration frame_interval = absl::Milliseconds(100);
  std::vector<SimJob> jobs;
  Faults faults;
  scheduler::core::CoreOptions core;
  // The invariants are checked after every so many events.
  int64_t check_every = 1;
  // Gives up, as hung, after so much virtual time.
  absl::Duration limit = absl::Hours(1000);
  // Measures the CPU time of the core alone.
  bool measure_cpu = false;
};

// Where slot time went, in shares of the capacity up to the end: that of slots
// whose process lived, was not frozen, paused, draining or out of reach, while
// the scheduler ran and its spool took frames; and that of all slots that were
// busy anyway. The sum is 1.
struct Shares {
  // For tasks that are done.
  double useful = 0;
  // For results that were lost, or came twice.
  double wasted = 0;
  // Idle, from the cut of a connection to the next, and otherwise.
  double disconnected = 0;
  double idle = 0;
};

struct WorldResult {
  absl::Duration makespan;
  // When the capacity was enough for all work that was done.
  absl::Duration ideal;
  Shares shares;
  // Work of all slots over that of the capacity.
  double available = 0;
  int64_t num_events = 0;
  int64_t num_frames = 0;
  int64_t num_leases = 0;
  int64_t num_deaths = 0;
  int64_t num_restarts = 0;
  int64_t num_drains = 0;
  int64_t num_dropped_frames = 0;
  int64_t num_failed_tasks = 0;
  int64_t num_cancelled_jobs = 0;
  // The most ranges that the core kept, of all kinds, when last looked.
  int64_t most_runs = 0;
  // Of all actions, in order.
  uint64_t trace = 0;
  // In the core, if measured.
  absl::Duration cpu;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_WORLD_OPTIONS_H_
