#include "tests/sim/hostile_events.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "scheduler/core/core.h"

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

constexpr uint64_t kJobs = 4;
constexpr uint64_t kWorkers = 5;
constexpr size_t kMostGrants = 32;

class Driver {
 public:
  explicit Driver(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  absl::Status Run() {
    while (at_ < bytes_.size()) {
      now_ += Pause();
      INTERNODE_RETURN_IF_ERROR(Step(NextEvent()));
    }
    return absl::OkStatus();
  }

 private:
  uint64_t Byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
  uint64_t Below(uint64_t n) { return Byte() % n; }
  JobId AnyJob() { return {1 + Below(kJobs)}; }
  WorkerId AnyWorker() { return {1 + Below(kWorkers)}; }

  absl::Duration Pause() {
    switch (Below(8)) {
      case 0: {
        const uint64_t seconds = Below(64);
        // Now and then a day or all of time goes by, or time goes back by it.
        if (seconds == 63) return absl::Hours(24) * (1 + Below(40));
        if (seconds == 62) {
          return Below(2) == 0 ? -absl::Hours(1'000'000)
                               : absl::Hours(1'000'000);
        }
        return absl::Seconds(static_cast<int64_t>(seconds % 8));
      }
      case 1:
        return core_.NextWakeup() == absl::InfiniteFuture()
                   ? absl::Seconds(1)
                   : std::max(core_.NextWakeup() - now_, absl::ZeroDuration());
      case 2:
        return -absl::Seconds(1);
      default:
        return absl::Milliseconds(static_cast<int64_t>(Below(64)));
    }
  }

  int64_t AnyTask() {
    switch (Below(8)) {
      case 0:
        return -1 - static_cast<int64_t>(Byte());
      case 1:
        return INT64_MAX - static_cast<int64_t>(Byte());
      default:
        return static_cast<int64_t>(Byte());
    }
  }

  Interval AnyInterval() {
    const int64_t begin = AnyTask();
    return Below(4) == 0
               ? Interval{begin, AnyTask()}
               : Interval{begin,
                          begin < 1000
                              ? begin + 1 + static_cast<int64_t>(Below(16))
                              : INT64_MAX};
  }

  // A part of what was granted, mostly.
  GrantLease AnyGrant() {
    if (grants_.empty() || Below(8) == 0) {
      return {.worker = AnyWorker(),
              .epoch = Below(4),
              .lease = {Byte()},
              .job = AnyJob(),
              .tasks = AnyInterval()};
    }
    GrantLease grant = grants_[Byte() % grants_.size()];
    if (Below(3) == 0 && grant.tasks.size() > 1) {
      const int64_t size = grant.tasks.size();
      const int64_t first = static_cast<int64_t>(Byte()) % size;
      grant.tasks = {grant.tasks.begin + first,
                     grant.tasks.begin + first + 1 +
                         static_cast<int64_t>(Byte()) % (size - first)};
    }
    if (Below(16) == 0) grant.tasks = AnyInterval();
    if (Below(16) == 0) grant.worker = AnyWorker();
    if (Below(16) == 0) grant.job = AnyJob();
    if (Below(16) == 0) grant.epoch = Byte();
    return grant;
  }

  std::vector<RunningTask> AnyRunning(const GrantLease& grant) {
    std::vector<RunningTask> running;
    for (uint64_t i = Below(4); i > 0; --i) {
      running.push_back({grant.job,
                         Below(4) == 0 ? AnyTask() : grant.tasks.begin,
                         absl::Seconds(static_cast<int64_t>(Byte()))});
    }
    return running;
  }

  JobSubmitted AnySubmission() {
    JobSubmitted job;
    job.job = AnyJob();
    job.num_tasks = Below(16) == 0 ? AnyTask() : static_cast<int64_t>(Byte());
    job.priority = Below(4) == 0 ? static_cast<int>(Below(5)) - 2 : 0;
    job.policies.max_retries = static_cast<int>(Below(4));
    job.policies.max_failed_tasks = static_cast<int64_t>(Below(4)) - 1;
    if (Below(4) == 0) job.policies.task_timeout = absl::Seconds(100);
    switch (Below(64)) {
      case 0:
        job.job = {0};
        break;
      case 1:
        job.priority = INT32_MIN;
        job.policies.max_retries = INT32_MIN;
        break;
      case 2:
        job.priority = INT32_MAX;
        job.policies.max_retries = INT32_MAX;
        break;
      case 3:
        job.policies.max_failed_tasks = INT64_MIN;
        job.policies.task_timeout = -absl::InfiniteDuration();
        break;
      case 4:
        job.num_tasks = kMostTasks;
        break;
      default:
        break;
    }
    return job;
  }

  WorkerJoined AnyJoin() {
    WorkerJoined joined;
    joined.worker = AnyWorker();
    joined.epoch = Below(4) == 0 ? Byte() : ++epoch_;
    joined.slots = static_cast<int>(Below(6)) - 1;
    if (Below(64) == 0) joined.slots = INT32_MAX;
    if (Below(64) == 0) joined.epoch = UINT64_MAX;
    for (uint64_t i = Below(4); i > 0; --i) {
      joined.offers.push_back({AnyJob(), AnyInterval()});
    }
    if (Below(2) == 0) {
      const GrantLease grant = AnyGrant();
      joined.offers.push_back({grant.job, grant.tasks});
    }
    return joined;
  }

  JobRecovered AnyRecovery() {
    JobRecovered recovered;
    recovered.submission = AnySubmission();
    recovered.state = static_cast<JobState>(Below(6));
    for (uint64_t i = Below(4); i > 0; --i) {
      recovered.done.push_back(AnyInterval());
    }
    for (uint64_t i = Below(3); i > 0; --i) {
      recovered.failures.push_back({AnyInterval(),
                                    TaskFailure::Kind::kError,
                                    "failed before",
                                    AnyWorker(),
                                    {}});
    }
    return recovered;
  }

  FrameArrived AnyFrame() {
    const GrantLease grant = AnyGrant();
    FrameArrived arrived = {
        {++frame_},
        grant.worker,
        grant.epoch,
        grant.lease,
        grant.job,
        grant.tasks,
        absl::Milliseconds(static_cast<int64_t>(Byte()) * 10)};
    if (Below(16) == 0) arrived.frame = AnyFrameId();
    if (Below(32) == 0) arrived.busy = absl::InfiniteDuration();
    if (Below(32) == 0) arrived.busy = -absl::Hours(1);
    return arrived;
  }

  FrameId AnyFrameId() { return {frame_ == 0 ? 0 : 1 + Byte() % frame_}; }

  FrameId AcceptedFrame() {
    if (accepted_.empty() || Below(8) == 0) return AnyFrameId();
    return accepted_[Byte() % accepted_.size()];
  }

  Event NextEvent() {
    const uint64_t kind = Below(48);
    if (kind < 14) return AnyFrame();
    if (kind < 22) return FrameCommitted{AcceptedFrame()};
    if (kind < 26) return AnyJoin();
    if (kind < 29) return AnySubmission();
    const GrantLease grant = AnyGrant();
    if (kind < 33) {
      return LeaseReturned{
          grant.worker, grant.epoch, grant.lease, {grant.tasks}};
    }
    if (kind < 36) {
      return TaskFailed{grant.worker, grant.epoch,   grant.lease,
                        grant.tasks,  Below(2) == 0, "it failed"};
    }
    switch (kind) {
      case 36:
        return WorkerLost{grant.worker, grant.epoch, "cut"};
      case 37:
        return ProcessDied{grant.worker, grant.epoch, "signal 11",
                           AnyRunning(grant)};
      case 38:
        return ProcessDied{grant.worker, grant.epoch, "signal 9", {}};
      case 39:
        return HeartbeatReceived{grant.worker, grant.epoch, AnyRunning(grant)};
      case 40:
        return WorkerPaused{grant.worker, grant.epoch};
      case 41:
        return WorkerResumed{grant.worker, grant.epoch};
      case 42:
        return Below(2) == 0 ? Event(WorkerDraining{grant.worker, grant.epoch})
                             : Event(DrainRequested{grant.worker});
      case 43:
        return Below(4) == 0 ? Event(SpoolBlocked{"disk full"})
                             : Event(SpoolResumed{});
      case 44:
        return FrameLost{AcceptedFrame()};
      case 45:
        return JobEnd();
      case 46:
        return Below(2) == 0 ? Event(TasksRetried{AnyJob()})
                             : Event(AnyRecovery());
      default:
        return Tick{};
    }
  }

  Event JobEnd() {
    switch (Below(3)) {
      case 0:
        return JobCancelled{AnyJob()};
      case 1:
        return JobAborted{AnyJob(), "spool is gone"};
      default:
        return JobForgotten{AnyJob()};
    }
  }

  absl::Status Step(const Event& event) {
    std::map<JobId, IntervalSet> done_before;
    for (const JobInfo& job : core_.Jobs()) {
      done_before[job.job] = *core_.Done(job.job);
    }
    std::vector<Action> actions;
    core_.Handle(now_, event, &actions);
    if (absl::Status status = core_.CheckInvariants(); !status.ok()) {
      return absl::InternalError(absl::StrCat(status.message(), ", at byte ",
                                              at_, " after an event of kind ",
                                              event.index()));
    }
    for (const auto& [job, done] : done_before) {
      const IntervalSet* after = core_.Done(job);
      if (after == nullptr) continue;
      for (const Interval& run : done.intervals()) {
        if (!after->ContainsAll(run)) return absl::InternalError("done undone");
      }
    }
    if (const auto* lost = std::get_if<FrameLost>(&event)) Forget(lost->frame);
    for (const Action& action : actions) {
      INTERNODE_RETURN_IF_ERROR(
          std::visit([this](const auto& any) { return Check(any); }, action));
    }
    for (uint64_t job = 0; job <= kJobs; ++job) {
      core_.Explain(JobId{job});
      core_.Explain(JobId{job}, static_cast<int64_t>(at_ % 256));
    }
    core_.Workers();
    core_.Cluster();
    return absl::OkStatus();
  }

  void Forget(FrameId frame) {
    const auto it = writing_.find(frame);
    if (it == writing_.end()) return;
    for (const Interval& run : it->second.fresh) {
      taken_[it->second.job].Remove(run);
    }
    writing_.erase(it);
    std::erase(accepted_, frame);
  }

  absl::Status Check(const AcceptFrame& accept) {
    IntervalSet& taken = taken_[accept.job];
    for (const Interval& run : accept.fresh) {
      if (run.size() <= 0 || taken.CountWithin(run) > 0) {
        return absl::InternalError("a task was accepted twice");
      }
      taken.Add(run);
    }
    writing_[accept.frame] = accept;
    accepted_.push_back(accept.frame);
    return absl::OkStatus();
  }

  absl::Status Check(const AckFrame& ack) {
    if (writing_.erase(ack.frame) == 0) {
      return absl::InternalError("a frame was acknowledged out of turn");
    }
    std::erase(accepted_, ack.frame);
    return absl::OkStatus();
  }

  absl::Status Check(const EraseJob& erase) {
    // These events give its id again.
    taken_.erase(erase.job);
    for (auto& [frame, accept] : writing_) {
      if (accept.job == erase.job) accept.fresh.clear();
    }
    return absl::OkStatus();
  }

  absl::Status Check(const GrantLease& grant) {
    if (!core_.Job(grant.job).has_value() || grant.tasks.size() <= 0) {
      return absl::InternalError("a lease of nothing");
    }
    if (grants_.size() == kMostGrants) grants_.erase(grants_.begin());
    grants_.push_back(grant);
    return absl::OkStatus();
  }

  absl::Status Check(const AnswerOffer& answer) {
    for (const Interval& run : answer.wanted) {
      if (grants_.size() == kMostGrants) grants_.erase(grants_.begin());
      grants_.push_back({.worker = answer.worker,
                         .epoch = answer.epoch,
                         .lease = answer.lease,
                         .job = answer.job,
                         .tasks = run});
    }
    return absl::OkStatus();
  }

  template <typename Other>
  absl::Status Check(const Other&) {
    return absl::OkStatus();
  }

  absl::Span<const uint8_t> bytes_;
  size_t at_ = 0;
  Core core_{CoreOptions{.worker_ttl = absl::Seconds(10)}};
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  Epoch epoch_ = 0;
  uint64_t frame_ = 0;
  std::vector<GrantLease> grants_;
  std::vector<FrameId> accepted_;
  std::map<FrameId, AcceptFrame> writing_;
  // Done, or being committed.
  std::map<JobId, IntervalSet> taken_;
};

}  // namespace

absl::Status DriveCore(absl::Span<const uint8_t> bytes) {
  return Driver(bytes).Run();
}

}  // namespace internode::sim
