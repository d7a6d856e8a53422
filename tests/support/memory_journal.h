#ifndef INTERNODE_TESTS_SUPPORT_MEMORY_JOURNAL_H_
#define INTERNODE_TESTS_SUPPORT_MEMORY_JOURNAL_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "scheduler/journal/journal.h"

namespace internode::testing {

// A journal that works, in memory. It stands for the file: what is committed
// stays until it is destroyed, and Restart is a restart of the scheduler.
// Thread-compatible.
class MemoryJournal : public scheduler::Journal {
 public:
  // The next start: ids that were not committed are given again.
  void Restart();
  // All that reads or writes fails with `status`, until it is OK again.
  void Fail(const absl::Status& status) { failure_ = status; }
  // Commits that succeeded.
  int64_t num_commits() const { return num_commits_; }

  uint64_t incarnation() const override { return incarnation_; }
  scheduler::core::JobId NextJobId() override { return {next_job_++}; }
  absl::Status Commit(absl::Span<const scheduler::Fact> facts) override;
  absl::StatusOr<std::vector<scheduler::JournalJob>> Jobs() override;
  absl::StatusOr<std::vector<scheduler::core::TaskFailure>> Failures(
      scheduler::core::JobId job, int64_t first_task, int64_t most) override;
  absl::StatusOr<std::vector<scheduler::core::JobId>> FinishedBefore(
      absl::Time time) override;

 private:
  struct Entry {
    scheduler::JournalJob job;
    std::map<int64_t, scheduler::core::TaskFailure> failures;
  };
  struct State {
    std::map<scheduler::core::JobId, Entry> jobs;
    uint64_t next_job = 1;
  };
  class Writer;

  State state_;
  absl::Status failure_;
  uint64_t incarnation_ = 1;
  uint64_t next_job_ = 1;
  int64_t num_commits_ = 0;
};

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_MEMORY_JOURNAL_H_
