#ifndef INTERNODE_TESTS_UNIT_SCHEDULER_CORE_CORE_DRIVER_H_
#define INTERNODE_TESTS_UNIT_SCHEDULER_CORE_CORE_DRIVER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "scheduler/core/core.h"

namespace internode::scheduler::core {

inline std::string Show(Interval tasks) {
  return absl::StrCat("[", tasks.begin, ",", tasks.end, ")");
}

inline std::string Show(const Intervals& all) {
  std::string text;
  for (const Interval& tasks : all) text += Show(tasks);
  return text;
}

// One line for an action, as the tests expect it.
struct Shown {
  std::string operator()(const PersistJob& a) const {
    return absl::StrCat("persist j", a.job.value, " ", Name(a.state),
                        a.message.empty() ? "" : ": ", a.message);
  }
  std::string operator()(const PersistFailure& a) const {
    return absl::StrCat(
        a.failure.kind == TaskFailure::Kind::kPoisonous ? "poison j" : "fail j",
        a.job.value, Show(a.failure.tasks), ": ", a.failure.message);
  }
  std::string operator()(const PersistRetry& a) const {
    return absl::StrCat("persist retry j", a.job.value);
  }
  std::string operator()(const EraseJob& a) const {
    return absl::StrCat("erase j", a.job.value);
  }
  std::string operator()(const AcceptFrame& a) const {
    return absl::StrCat("accept f", a.frame.value, " j", a.job.value,
                        Show(a.fresh));
  }
  std::string operator()(const DropFrame& a) const {
    const char* const why[] = {"not needed", "no such job", "invalid"};
    return absl::StrCat("drop f", a.frame.value, ": ",
                        why[static_cast<int>(a.reason)]);
  }
  std::string operator()(const AckFrame& a) const {
    return absl::StrCat("ack f", a.frame.value);
  }
  std::string operator()(const GrantLease& a) const {
    return absl::StrCat("grant w", a.worker.value, " l", a.lease.value, " j",
                        a.job.value, Show(a.tasks), a.front ? " front" : "",
                        a.alone ? " alone" : "");
  }
  std::string operator()(const TakeBack& a) const {
    return absl::StrCat("take back w", a.worker.value, " l", a.lease.value,
                        Show(a.tasks));
  }
  std::string operator()(const RevokeLease& a) const {
    return absl::StrCat("revoke w", a.worker.value, " l", a.lease.value,
                        Show(a.tasks));
  }
  std::string operator()(const AnswerOffer& a) const {
    return absl::StrCat("keep w", a.worker.value, " l", a.lease.value, " j",
                        a.job.value, Show(a.wanted));
  }
  std::string operator()(const DrainWorker& a) const {
    return absl::StrCat("drain w", a.worker.value);
  }
  std::string operator()(const RestartProcess& a) const {
    return absl::StrCat("restart w", a.worker.value, ": ", a.message);
  }
  std::string operator()(const CloseWorker& a) const {
    return absl::StrCat("close w", a.worker.value, ": ", a.message);
  }
  std::string operator()(const RejectJob& a) const {
    return absl::StrCat("reject j", a.job.value, ": ", a.message);
  }
  std::string operator()(const NotifyJob& a) const {
    return absl::StrCat("notify j", a.job.value, " ", Name(a.state));
  }

  static std::string Name(JobState state) {
    const char* const names[] = {"queued",    "running",
                                 "completed", "completed with failures",
                                 "failed",    "cancelled"};
    return names[static_cast<int>(state)];
  }
};

// A Core under test. Each event tells all actions that must follow, in order,
// as lines; an action that is not expected is a failure, as is a broken
// invariant. Time stands still unless a test lets it pass.
class CoreTest : public ::testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  explicit CoreTest(CoreOptions options = {}) : core_(options) {}

  Lines Handle(const Event& event) {
    std::vector<Action> actions;
    core_.Handle(now_, event, &actions);
    const absl::Status status = core_.CheckInvariants();
    EXPECT_TRUE(status.ok()) << status;
    Lines lines;
    for (const Action& action : actions) {
      lines.push_back(std::visit(Shown(), action));
    }
    return lines;
  }

  // Lets time pass, with a Tick whenever one is due.
  Lines Pass(absl::Duration time) {
    Lines all;
    const absl::Time until = now_ + time;
    while (true) {
      now_ = std::min(until, std::max(now_, core_.NextWakeup()));
      const Lines lines = Handle(Tick());
      all.insert(all.end(), lines.begin(), lines.end());
      if (now_ == until) return all;
    }
  }

  Lines Submit(uint64_t job, int64_t tasks, JobPolicies policies = {},
               int priority = 0) {
    return Handle(JobSubmitted{{job}, tasks, priority, policies});
  }
  Lines Join(uint64_t worker, int slots = 1, std::vector<Offer> offers = {},
             Epoch epoch = 1) {
    return Handle(WorkerJoined{{worker}, epoch, slots, std::move(offers)});
  }
  Lines Arrive(uint64_t frame, uint64_t worker, uint64_t lease, uint64_t job,
               Interval tasks, absl::Duration busy = absl::Seconds(1),
               Epoch epoch = 1) {
    return Handle(
        FrameArrived{{frame}, {worker}, epoch, {lease}, {job}, tasks, busy});
  }
  Lines Commit(uint64_t frame) { return Handle(FrameCommitted{{frame}}); }
  Lines FailTasks(uint64_t worker, uint64_t lease, Interval tasks,
                  bool retryable, const std::string& message = "no data") {
    return Handle(TaskFailed{{worker}, 1, {lease}, tasks, retryable, message});
  }
  Lines Return(uint64_t worker, uint64_t lease, std::vector<Interval> tasks) {
    return Handle(LeaseReturned{{worker}, 1, {lease}, std::move(tasks)});
  }
  Lines Died(uint64_t worker, uint64_t job, std::vector<int64_t> running,
             Epoch epoch = 1) {
    std::vector<RunningTask> tasks;
    for (const int64_t task : running) tasks.push_back({{job}, task, {}});
    return Handle(ProcessDied{{worker}, epoch, "signal 11", std::move(tasks)});
  }
  Lines Beat(uint64_t worker) {
    return Handle(HeartbeatReceived{{worker}, 1, {}});
  }

  // The tasks of the job that the worker, or any worker, holds.
  IntervalSet Held(uint64_t job, std::optional<uint64_t> worker = {}) const {
    IntervalSet held;
    for (int64_t task = 0; task < std::min<int64_t>(Job(job).num_tasks, 500);
         ++task) {
      const Explanation why = core_.Explain({job}, task);
      if (why.state != TaskState::kLeased) continue;
      if (worker.has_value() &&
          why.text.find(absl::StrCat("with worker ", *worker, " ")) != 0) {
        continue;
      }
      held.Add({task, task + 1});
    }
    return held;
  }

  JobInfo Job(uint64_t job) const { return *core_.Job({job}); }
  std::string Why(uint64_t job) const { return core_.Explain({job}).text; }
  std::string Why(uint64_t job, int64_t task) const {
    return core_.Explain({job}, task).text;
  }

  Core core_;
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_TESTS_UNIT_SCHEDULER_CORE_CORE_DRIVER_H_
