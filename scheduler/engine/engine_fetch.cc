#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/engine/engine.h"
#include "scheduler/journal/job_id.h"

// What comes next of a job's results, for those who fetch them.

namespace internode::scheduler {
namespace {

// Failures are told so many runs at a time.
constexpr int64_t kFailuresPerStep = 100;

}  // namespace

void Engine::NextFetch(absl::string_view job_id, int64_t task, int64_t end,
                       bool done_only, uint64_t waiter,
                       Reply<FetchStep> reply) {
  strand_->Post([this, id = std::string(job_id), task, end, done_only, waiter,
                 reply = std::move(reply)]() mutable {
    const absl::StatusOr<JobEntry*> found = FindJob(id);
    if (!found.ok()) return reply(found.status());
    if (closed_) return reply(absl::UnavailableError(kStopping));
    JobEntry* const entry = *found;
    const int64_t last = end < 0 ? entry->job.num_tasks : end;
    if (task < 0 || task > last || last > entry->job.num_tasks) {
      return reply(absl::InvalidArgumentError(absl::StrCat(
          "tasks ", task, " to ", last, " are not within job ",
          FormatJobId(entry->id), ", which has ", entry->job.num_tasks)));
    }
    entry->waiters.push_back({.id = waiter,
                              .task = task,
                              .end = last,
                              .done_only = done_only,
                              .reply = std::move(reply)});
    awaited_[waiter] = entry->id;
    // Answered at the end of the turn, when what it is told is durable.
    changed_.insert(entry->id);
  });
}

void Engine::StopWaiting(uint64_t waiter) {
  strand_->Post([this, waiter] {
    const auto it = awaited_.find(waiter);
    if (it == awaited_.end()) return;
    if (JobEntry* const entry = FindEntry(it->second)) {
      std::erase_if(entry->waiters, [&](const JobEntry::Waiter& other) {
        return other.id == waiter;
      });
    }
    awaited_.erase(it);
  });
}

void Engine::AnswerWaiters(JobEntry* entry) {
  std::vector<JobEntry::Waiter> waiting;
  for (JobEntry::Waiter& waiter : entry->waiters) {
    absl::StatusOr<std::optional<FetchStep>> step = StepAt(*entry, waiter);
    if (step.ok() && !step->has_value()) {
      waiting.push_back(std::move(waiter));
      continue;
    }
    awaited_.erase(waiter.id);
    if (step.ok()) {
      waiter.reply(*std::move(*step));
    } else {
      waiter.reply(step.status());
    }
  }
  entry->waiters = std::move(waiting);
}

void Engine::AnswerFromSpool() {
  for (const core::JobId job : changed_) {
    JobEntry* const entry = FindEntry(job);
    if (entry == nullptr || !entry->durable || entry->waiters.empty()) continue;
    const internode::core::IntervalSet* const done = core_.Done(job);
    if (done == nullptr) continue;
    const auto ready = std::stable_partition(
        entry->waiters.begin(), entry->waiters.end(),
        [&](const JobEntry::Waiter& waiter) {
          return waiter.task >= waiter.end || !done->Contains(waiter.task);
        });
    std::vector<JobEntry::Waiter> answered(
        std::make_move_iterator(ready),
        std::make_move_iterator(entry->waiters.end()));
    entry->waiters.erase(ready, entry->waiters.end());
    for (JobEntry::Waiter& waiter : answered) {
      awaited_.erase(waiter.id);
      waiter.reply(ReadyStep(*entry, waiter, *done));
    }
  }
}

FetchStep Engine::ReadyStep(const JobEntry& entry, const JobEntry::Waiter& at,
                            const internode::core::IntervalSet& done) const {
  FetchStep step;
  step.job = entry.id;
  step.end = at.end;
  step.spool = spool_->Find(entry.id.value);
  step.ready = *done.NextFrom(at.task);
  step.ready.end = std::min(step.ready.end, at.end);
  return step;
}

absl::StatusOr<std::optional<FetchStep>> Engine::StepAt(
    const JobEntry& entry, const JobEntry::Waiter& at) {
  INTERNODE_RETURN_IF_ERROR(entry.unreadable);
  if (entry.recovering) return std::nullopt;
  FetchStep step;
  step.job = entry.id;
  step.end = at.end;
  step.spool = spool_->Find(entry.id.value);
  if (at.task >= at.end) return step;
  const internode::core::IntervalSet* const done = core_.Done(entry.id);
  const internode::core::IntervalSet* const failed = core_.Failed(entry.id);
  if (done != nullptr && done->Contains(at.task)) {
    return ReadyStep(entry, at, *done);
  }
  if (failed != nullptr && failed->Contains(at.task)) {
    INTERNODE_ASSIGN_OR_RETURN(
        const std::vector<core::TaskFailure> failures,
        journal_->Failures(entry.id, at.task, kFailuresPerStep));
    int64_t next = at.task;
    for (const core::TaskFailure& failure : failures) {
      if (failure.tasks.begin > next || next >= at.end) break;
      const internode::core::Interval tasks = {
          next, std::min(failure.tasks.end, at.end)};
      step.failures.push_back(
          {.tasks = tasks, .failure = FailureOf(entry, next, failure)});
      next = tasks.end;
    }
    if (!step.failures.empty()) return step;
    return absl::InternalError(
        absl::StrCat("the journal does not know why task ", at.task, " of job ",
                     FormatJobId(entry.id), " failed"));
  }
  if (at.done_only) return step;
  const std::optional<core::JobInfo> info = core_.Job(entry.id);
  if (info.has_value() && !core::IsTerminal(info->state)) return std::nullopt;
  return absl::FailedPreconditionError(
      absl::StrCat("job ", FormatJobId(entry.id), " was stopped: task ",
                   at.task, " and perhaps others were not run"));
}

}  // namespace internode::scheduler
