#include "tests/support/memory_journal.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <variant>

#include "base/status_macros.h"

namespace internode::testing {

using scheduler::JournalJob;
using scheduler::core::JobId;
using scheduler::core::JobState;
using scheduler::core::TaskFailure;

// Writes facts into a state.
class MemoryJournal::Writer {
 public:
  explicit Writer(State* state) : state_(state) {}

  absl::Status operator()(const scheduler::JobAccepted& fact) {
    const JobId id = fact.job.job;
    if (id.value < 1 ||
        id.value >= uint64_t{std::numeric_limits<int64_t>::max()}) {
      return absl::InvalidArgumentError("not a job's number");
    }
    if (!state_->jobs.emplace(id, Entry{fact.job, {}}).second) {
      return absl::AlreadyExistsError("there is such a job already");
    }
    state_->next_job = std::max(state_->next_job, id.value + 1);
    return absl::OkStatus();
  }

  absl::Status operator()(const scheduler::JobChanged& fact) {
    INTERNODE_ASSIGN_OR_RETURN(Entry * entry, Find(fact.job));
    JournalJob& job = entry->job;
    job.state = fact.state;
    job.message = fact.message;
    job.num_done = fact.num_done;
    job.num_failed = fact.num_failed;
    if (fact.state == JobState::kRunning &&
        job.started == absl::InfinitePast()) {
      job.started = fact.when;
    }
    job.finished = scheduler::core::IsTerminal(fact.state)
                       ? fact.when
                       : absl::InfinitePast();
    return absl::OkStatus();
  }

  absl::Status operator()(const scheduler::TasksFailed& fact) {
    INTERNODE_ASSIGN_OR_RETURN(Entry * entry, Find(fact.job));
    entry->failures[fact.failure.tasks.begin] = fact.failure;
    return absl::OkStatus();
  }

  absl::Status operator()(const scheduler::FailuresVoided& fact) {
    INTERNODE_ASSIGN_OR_RETURN(Entry * entry, Find(fact.job));
    entry->failures.clear();
    return absl::OkStatus();
  }

  absl::Status operator()(const scheduler::JobErased& fact) {
    state_->jobs.erase(fact.job);
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<Entry*> Find(JobId job) {
    const auto it = state_->jobs.find(job);
    if (it == state_->jobs.end()) return absl::NotFoundError("no such job");
    return &it->second;
  }

  State* const state_;
};

void MemoryJournal::Restart() {
  ++incarnation_;
  next_job_ = state_.next_job;
}

absl::Status MemoryJournal::Commit(absl::Span<const scheduler::Fact> facts) {
  INTERNODE_RETURN_IF_ERROR(failure_);
  State changed = state_;
  for (const scheduler::Fact& fact : facts) {
    INTERNODE_RETURN_IF_ERROR(std::visit(Writer(&changed), fact));
  }
  state_ = std::move(changed);
  next_job_ = std::max(next_job_, state_.next_job);
  ++num_commits_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JournalJob>> MemoryJournal::Jobs() {
  INTERNODE_RETURN_IF_ERROR(failure_);
  std::vector<JournalJob> jobs;
  for (const auto& [id, entry] : state_.jobs) jobs.push_back(entry.job);
  return jobs;
}

absl::StatusOr<std::vector<TaskFailure>> MemoryJournal::Failures(
    JobId job, int64_t first_task, int64_t most) {
  INTERNODE_RETURN_IF_ERROR(failure_);
  std::vector<TaskFailure> found;
  const auto entry = state_.jobs.find(job);
  if (entry == state_.jobs.end()) return found;
  const auto& failures = entry->second.failures;
  auto it = failures.upper_bound(first_task);
  if (it != failures.begin() && std::prev(it)->second.tasks.end > first_task) {
    --it;
  }
  for (; it != failures.end() && static_cast<int64_t>(found.size()) < most;
       ++it) {
    found.push_back(it->second);
  }
  return found;
}

absl::StatusOr<std::vector<JobId>> MemoryJournal::FinishedBefore(
    absl::Time time) {
  INTERNODE_RETURN_IF_ERROR(failure_);
  std::vector<JobId> found;
  for (const auto& [id, entry] : state_.jobs) {
    if (entry.job.finished != absl::InfinitePast() &&
        entry.job.finished < time) {
      found.push_back(id);
    }
  }
  return found;
}

}  // namespace internode::testing
