#ifndef INTERNODE_TESTS_SIM_WORLD_H_
#define INTERNODE_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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
#include "tests/sim/capacity.h"
#include "tests/sim/core_meter.h"
#include "tests/sim/fairness.h"
#include "tests/sim/sim_worker.h"
#include "tests/sim/trace.h"
#include "tests/sim/world_options.h"

namespace internode::sim {

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
  // How often jobs were seen to contend.
  int64_t num_contests() const { return fairness_.num_contests(); }

 private:
  friend class SimWorker;

  using JobId = scheduler::core::JobId;

  // A job, as far as it survives a restart of the scheduler.
  struct DurableJob {
    SimJob job;
    bool submitted = false;
    bool erased = false;
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

  // ---- world.cc: virtual time, and chance ----
  void At(absl::Duration when, std::function<void()> what);
  absl::Duration now() const { return now_; }
  double Uniform() { return unit_(random_); }
  bool Happens(double probability) { return Uniform() < probability; }
  absl::Duration Latency();
  // An exponential pause; infinite if the rate is 0.
  absl::Duration Pause(double per_hour);
  absl::Duration Work(JobId job, int64_t task) const;
  bool IsPoison(int64_t task) const;
  bool IsFlaky(JobId job, int64_t task) const;
  // Whether the task goes wrong when it is run.
  bool IsBad(JobId job, int64_t task) const;

  // ---- world_shell.cc: the scheduler's shell ----
  // To the scheduler, if it runs: after `delay`, in this life of it.
  void Send(absl::Duration delay, scheduler::core::Event event);
  void SendFrame(size_t worker, uint64_t key, absl::Duration delay,
                 scheduler::core::FrameArrived frame);
  void StartScheduler();
  void KillScheduler();
  void Feed(const scheduler::core::Event& event);
  void Perform(const scheduler::core::Action& action);
  void Acknowledge(scheduler::core::FrameId frame);
  void Persist(const scheduler::core::PersistJob& job);
  void Accept(const scheduler::core::AcceptFrame& accept);
  void Commit();
  void LoseAccepted();
  void ScheduleTick();
  // The scheduler serves: it runs, and the spool takes frames.
  bool serving() const { return running_ && !stopped_ && !blocked_; }
  // Serving began or ended: the capacity is counted anew.
  void Recount();

  // ---- world_faults.cc: clients, and what goes wrong with the whole ----
  void Submit(JobId job);
  void Cancel(JobId job);
  void Forget(JobId job);
  void ScheduleFaults();
  void BlockSpool();
  void StopScheduler();
  void Partition();
  void DrainOne(size_t worker);

  // ---- world_check.cc ----
  void Check();
  void Watch(const scheduler::core::Event& event);
  void Broken(const std::string& what);
  absl::Status CheckEnd();
  absl::Status CheckEnd(const DurableJob& job) const;
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
  CoreMeter meter_;
  // Counts the scheduler's starts; what was under way before is void.
  uint64_t life_ = 0;
  bool running_ = false;
  // Stopped: what comes in waits.
  bool stopped_ = false;
  std::vector<scheduler::core::Event> waiting_;
  absl::Duration tick_at_ = absl::InfiniteDuration();
  std::vector<scheduler::core::Action> actions_;
  int64_t num_actions_ = 0;

  std::map<JobId, DurableJob> jobs_;
  size_t num_ended_ = 0;
  std::vector<scheduler::core::AcceptFrame> to_commit_;
  bool commit_due_ = false;
  bool blocked_ = false;
  // Until then a commit takes long.
  absl::Duration slow_until_;
  std::map<scheduler::core::FrameId, SentFrame> sent_;
  uint64_t next_frame_ = 1;
  // The flaky tasks that have failed.
  std::set<std::pair<JobId, int64_t>> failed_once_;

  std::vector<std::unique_ptr<SimWorker>> workers_;
  Capacity capacity_;
  Fairness fairness_;
  // When a task was last done, or the scheduler began to serve.
  absl::Duration moved_at_;
  Trace trace_;
  absl::Status status_;
  WorldResult result_;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_WORLD_H_
