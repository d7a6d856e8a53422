#ifndef INTERNODE_SCHEDULER_JOURNAL_SQLITE_JOURNAL_H_
#define INTERNODE_SCHEDULER_JOURNAL_SQLITE_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "scheduler/journal/journal.h"
#include "scheduler/journal/sqlite.h"

namespace internode::scheduler {

// The journal as an SQLite database in WAL mode (docs/journal.md). One Commit
// is one transaction. Thread-compatible.
class SqliteJournal final : public Journal {
 public:
  struct Options {
    // Committed facts survive a failure of the machine, not only of the
    // process.
    bool sync = true;
  };

  // The version of the tables that this program writes.
  static constexpr int64_t kSchemaVersion = 1;

  // Opens the journal in the file `path`, or creates it; brings older tables
  // up to date. Errors: kFailedPrecondition (a newer version of the tables, a
  // database of another program, no folder), kDataLoss (damaged), and as for
  // Journal.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(
      const std::string& path, const Options& options);

  uint64_t incarnation() const override { return incarnation_; }
  core::JobId NextJobId() override { return {next_job_++}; }
  absl::Status Commit(absl::Span<const Fact> facts) override;
  absl::StatusOr<std::vector<JournalJob>> Jobs() override;
  absl::StatusOr<std::vector<core::TaskFailure>> Failures(
      core::JobId job, int64_t first_task, int64_t most) override;
  absl::StatusOr<std::vector<core::JobId>> FinishedBefore(
      absl::Time time) override;

 private:
  explicit SqliteJournal(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)) {}

  absl::Status Start();
  absl::Status Write(const JobAccepted& fact);
  absl::Status Write(const JobChanged& fact);
  absl::Status Write(const TasksFailed& fact);
  absl::Status Write(const FailuresVoided& fact);
  absl::Status Write(const JobErased& fact);
  absl::Status WriteHistory(const TasksFailed& fact);
  absl::Status CheckExists(core::JobId job);
  absl::StatusOr<std::vector<core::Happening>> History(core::JobId job,
                                                       int64_t first_task);

  const std::unique_ptr<SqliteDatabase> database_;
  uint64_t incarnation_ = 0;
  uint64_t next_job_ = 1;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_JOURNAL_SQLITE_JOURNAL_H_
