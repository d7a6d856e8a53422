#ifndef INTERNODE_TESTS_SIM_WORLD_H_
#define INTERNODE_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "scheduler/core/core.h"
#include "tests/sim/sim_worker.h"

namespace internode::sim {

// How often things go wrong. Probabilities are per message or per lease;
// rates are per worker and hour of virtual time.
struct Faults {
  double deaths_per_hour = 0;
  // The process hangs for up to two worker ttls, and comes back.
  double freezes_per_hour = 0;
  // The connection is cut; the process goes on, and reconnects.
  double cuts_per_hour = 0;
  // Frames that are sent twice, and messages that are up to 2 s late.
  double duplicates = 0;
  double delays = 0;
  // Tasks that fail once, retryably, for each that does not.
  double flaky_tasks = 0;
  // Every so many tasks, counted from the first, one kills its process; 0:
  // none.
  int64_t poison_every = 0;
  // The scheduler is killed and started again so often.
  absl::Duration scheduler_restarts = absl::InfiniteDuration();
  // The spool is full for a second so often.
  absl::Duration spool_blocks = absl::InfiniteDuration();
  // The whole scheduler process is stopped for two worker ttls so often.
  absl::Duration scheduler_stops = absl::InfiniteDuration();
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
  std::vector<scheduler::core::JobSubmitted> jobs;
  Faults faults;
  scheduler::core::CoreOptions core;
  // The invariants are checked after every so many events.
  int64_t check_every = 1;
  // Gives up, as hung, after so much virtual time.
  absl::Duration limit = absl::Hours(1000);
  // Measures the CPU time of the core alone; the simulation's own aside.
  bool measure_cpu = false;
};

struct WorldResult {
  absl::Duration makespan;
  // All work that was needed, over the speed of all workers; and over that of
  // the time in which processes were there and not frozen.
  absl::Duration ideal;
  absl::Duration ideal_of_uptime;
  int64_t num_events = 0;
  int64_t num_leases = 0;
  int64_t num_deaths = 0;
  int64_t num_restarts = 0;
  int64_t num_dropped_frames = 0;
  int64_t num_failed_tasks = 0;
  // The most intervals that the core kept, of all kinds, when last looked.
  int64_t most_runs = 0;
  // Slot time that passed idle between two tasks, over all slot time.
  double starved = 0;
  // Of all actions, in order.
  uint64_t trace = 0;
  // In the core, if measured.
  absl::Duration cpu;
};

// A cluster in virtual time round a real Core: workers with their own speed,
// that run what they are granted and fail in the ways of Faults, messages with
// latencies, a spool that commits in groups, and a scheduler that can be
// killed at any event, after which only what would be durable is left: jobs,
// committed frames and persisted failures. All that is random comes from one
// generator, so that a seed gives one history.
class World {
 public:
  explicit World(const WorldOptions& options);
  ~World();

  // Until all jobs have ended. An error: a broken invariant, a task lost or
  // done twice, a job that does not end.
  absl::Status Run();

  const WorldResult& result() const { return result_; }

 private:
  friend class SimWorker;

  using JobId = scheduler::core::JobId;

  // What survives a restart of the scheduler.
  struct DurableJob {
    scheduler::core::JobSubmitted submission;
    scheduler::core::JobState state = scheduler::core::JobState::kQueued;
    scheduler::core::IntervalSet done;
    std::vector<scheduler::core::TaskFailure> failures;
    bool ended = false;
  };
  // A frame that was accepted, or is on its way back as acknowledged.
  struct SentFrame {
    size_t worker = 0;
    uint64_t key = 0;
  };

  // ---- virtual time ----
  void At(absl::Duration when, std::function<void()> what);
  absl::Duration now() const { return now_; }

  // ---- what workers use ----
  double Uniform() { return unit_(random_); }
  bool Happens(double probability) { return Uniform() < probability; }
  absl::Duration Latency();
  // An exponential pause; infinite if the rate is 0.
  absl::Duration Pause(double per_hour);
  absl::Duration Work(JobId job, int64_t task) const;
  bool IsPoison(int64_t task) const;
  bool IsFlaky(JobId job, int64_t task) const;
  // To the scheduler, if it runs: after `delay`, in this life of it.
  void Send(absl::Duration delay, scheduler::core::Event event);
  void SendFrame(size_t worker, uint64_t key, absl::Duration delay,
                 scheduler::core::FrameArrived frame);

  // ---- the scheduler's shell ----
  void StartScheduler();
  void KillScheduler();
  void Feed(const scheduler::core::Event& event);
  void Perform(const scheduler::core::Action& action);
  void Accept(const scheduler::core::AcceptFrame& accept);
  void Commit();
  void ScheduleTick();
  void ScheduleFaults();
  void Check();
  void Broken(const std::string& what);
  absl::Status CheckEnd();
  void Summarize();

  const WorldOptions options_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> unit_{0.0, 1.0};

  struct Due {
    absl::Duration when;
    uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const Due& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  std::priority_queue<Due> queue_;
  uint64_t next_order_ = 0;
  absl::Duration now_;

  std::unique_ptr<scheduler::core::Core> core_;
  // Counts the scheduler's starts; what was under way before is void.
  uint64_t life_ = 0;
  bool running_ = false;
  // Stopped: what comes in waits.
  bool stopped_ = false;
  std::vector<scheduler::core::Event> waiting_;
  absl::Duration tick_at_ = absl::InfiniteDuration();
  std::vector<scheduler::core::Action> actions_;

  std::map<JobId, DurableJob> jobs_;
  size_t num_ended_ = 0;
  std::vector<scheduler::core::AcceptFrame> to_commit_;
  bool commit_due_ = false;
  bool blocked_ = false;
  std::map<scheduler::core::FrameId, SentFrame> sent_;
  uint64_t next_frame_ = 1;
  // The flaky tasks that have failed.
  std::set<std::pair<JobId, int64_t>> failed_once_;

  std::vector<std::unique_ptr<SimWorker>> workers_;
  absl::Status status_;
  WorldResult result_;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_WORLD_H_
