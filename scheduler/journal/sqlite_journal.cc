#include "scheduler/journal/sqlite_journal.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/journal/job_id.h"
#include "scheduler/journal/sqlite_schema.h"

namespace internode::scheduler {
namespace {

using core::Happening;
using core::JobState;
using core::TaskFailure;

// A value and the word that stands for it. NOTE: stored.
template <typename T>
struct Word {
  T value;
  absl::string_view word;
};

constexpr Word<JobState> kStates[] = {
    {JobState::kQueued, "queued"},
    {JobState::kRunning, "running"},
    {JobState::kCompleted, "completed"},
    {JobState::kCompletedWithFailures, "completed_with_failures"},
    {JobState::kFailed, "failed"},
    {JobState::kCancelled, "cancelled"}};
constexpr Word<TaskFailure::Kind> kFailureKinds[] = {
    {TaskFailure::Kind::kError, "error"},
    {TaskFailure::Kind::kPoisonous, "poisonous"}};
constexpr Word<Happening::Kind> kHappeningKinds[] = {
    {Happening::Kind::kFailed, "failed"},
    {Happening::Kind::kProcessDied, "process_died"}};

template <typename T, size_t N>
absl::string_view WordOf(const Word<T> (&words)[N], T value) {
  for (const Word<T>& word : words) {
    if (word.value == value) return word.word;
  }
  return "";
}

template <typename T, size_t N>
absl::StatusOr<T> ValueOf(const Word<T> (&words)[N], absl::string_view text) {
  for (const Word<T>& word : words) {
    if (word.word == text) return word.value;
  }
  return absl::DataLossError(
      absl::StrCat("the journal is damaged: it says '", text, "'"));
}

void BindTime(int parameter, absl::Time time, SqliteQuery* query) {
  if (time == absl::InfinitePast()) {
    query->BindNull(parameter);
  } else {
    query->Bind(parameter, absl::ToUnixNanos(time));
  }
}

absl::Time TimeAt(const SqliteQuery& query, int column) {
  return query.IsNull(column) ? absl::InfinitePast()
                              : absl::FromUnixNanos(query.Int(column));
}

int64_t Stored(core::JobId job) { return static_cast<int64_t>(job.value); }
int64_t Stored(core::WorkerId worker) {
  return static_cast<int64_t>(worker.value);
}

absl::StatusOr<JournalJob> JobAt(const SqliteQuery& row) {
  JournalJob job;
  job.job = {static_cast<uint64_t>(row.Int(0))};
  job.name = row.Text(1);
  job.num_tasks = row.Int(2);
  job.priority = static_cast<int>(row.Int(3));
  job.policies.max_retries = static_cast<int>(row.Int(4));
  job.policies.max_failed_tasks = row.Int(5);
  job.policies.task_timeout =
      row.IsNull(6) ? absl::InfiniteDuration() : absl::Nanoseconds(row.Int(6));
  job.submitted = TimeAt(row, 7);
  INTERNODE_ASSIGN_OR_RETURN(job.state, ValueOf(kStates, row.Text(8)));
  job.message = row.Text(9);
  job.started = TimeAt(row, 10);
  job.finished = TimeAt(row, 11);
  job.num_done = row.Int(12);
  job.num_failed = row.Int(13);
  job.plan = row.Text(14);
  return job;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(
    const std::string& path, const Options& options) {
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                             SqliteDatabase::Open(path));
  INTERNODE_RETURN_IF_ERROR(PrepareSchema(database.get()));
  INTERNODE_RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode=WAL"));
  INTERNODE_RETURN_IF_ERROR(database->Execute("PRAGMA foreign_keys=ON"));
  INTERNODE_RETURN_IF_ERROR(database->Execute(
      options.sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF"));
  auto journal = absl::WrapUnique(new SqliteJournal(std::move(database)));
  INTERNODE_RETURN_IF_ERROR(journal->Start());
  return journal;
}

absl::Status SqliteJournal::Start() {
  INTERNODE_RETURN_IF_ERROR(
      database_->Execute("UPDATE counters SET value = value + 1 "
                         "WHERE name = 'incarnation'"));
  INTERNODE_ASSIGN_OR_RETURN(
      const int64_t incarnation,
      database_->QueryInt(
          "SELECT value FROM counters WHERE name = 'incarnation'"));
  INTERNODE_ASSIGN_OR_RETURN(
      const int64_t next_job,
      database_->QueryInt(
          "SELECT value FROM counters WHERE name = 'next_job'"));
  incarnation_ = static_cast<uint64_t>(incarnation);
  next_job_ = static_cast<uint64_t>(next_job);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Commit(absl::Span<const Fact> facts) {
  if (facts.empty()) return absl::OkStatus();
  absl::Status status = database_->Execute("BEGIN IMMEDIATE");
  for (const Fact& fact : facts) {
    if (!status.ok()) break;
    status =
        std::visit([this](const auto& known) { return Write(known); }, fact);
  }
  if (status.ok()) status = database_->Execute("COMMIT");
  database_->Rollback();
  return status;
}

absl::Status SqliteJournal::CheckExists(core::JobId job) {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery query, database_->Query("SELECT 1 FROM jobs WHERE job = ?1"));
  query.Bind(1, Stored(job));
  INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (found) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("there is no job ", FormatJobId(job)));
}

absl::Status SqliteJournal::Write(const JobAccepted& fact) {
  const JournalJob& job = fact.job;
  if (job.job.value < 1 ||
      job.job.value >= uint64_t{std::numeric_limits<int64_t>::max()}) {
    return absl::InvalidArgumentError(
        absl::StrCat("a job cannot have the number ", job.job.value));
  }
  if (CheckExists(job.job).ok()) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a job ", FormatJobId(job.job), " already"));
  }
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery insert,
      database_->Query("INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                       "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"));
  insert.Bind(1, Stored(job.job));
  insert.Bind(2, job.name);
  insert.Bind(3, job.num_tasks);
  insert.Bind(4, int64_t{job.priority});
  insert.Bind(5, int64_t{job.policies.max_retries});
  insert.Bind(6, job.policies.max_failed_tasks);
  if (job.policies.task_timeout == absl::InfiniteDuration()) {
    insert.BindNull(7);
  } else {
    insert.Bind(7, absl::ToInt64Nanoseconds(job.policies.task_timeout));
  }
  insert.Bind(8, absl::ToUnixNanos(job.submitted));
  insert.Bind(9, WordOf(kStates, job.state));
  insert.Bind(10, job.message);
  BindTime(11, job.started, &insert);
  BindTime(12, job.finished, &insert);
  insert.Bind(13, job.num_done);
  insert.Bind(14, job.num_failed);
  insert.BindBlob(15, job.plan);
  INTERNODE_RETURN_IF_ERROR(insert.Run());
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery number,
      database_->Query("UPDATE counters SET value = max(value, ?1) "
                       "WHERE name = 'next_job'"));
  number.Bind(1, Stored(job.job) + 1);
  next_job_ = std::max(next_job_, job.job.value + 1);
  return number.Run();
}

absl::Status SqliteJournal::Write(const JobChanged& fact) {
  INTERNODE_RETURN_IF_ERROR(CheckExists(fact.job));
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery update,
      database_->Query(
          "UPDATE jobs SET state = ?2, message = ?3, num_done = ?4, "
          "num_failed = ?5, started_ns = coalesce(started_ns, ?6), "
          "finished_ns = ?7 WHERE job = ?1"));
  update.Bind(1, Stored(fact.job));
  update.Bind(2, WordOf(kStates, fact.state));
  update.Bind(3, fact.message);
  update.Bind(4, fact.num_done);
  update.Bind(5, fact.num_failed);
  const absl::Time never = absl::InfinitePast();
  BindTime(6, fact.state == JobState::kRunning ? fact.when : never, &update);
  BindTime(7, core::IsTerminal(fact.state) ? fact.when : never, &update);
  return update.Run();
}

absl::Status SqliteJournal::Write(const TasksFailed& fact) {
  INTERNODE_RETURN_IF_ERROR(CheckExists(fact.job));
  {
    INTERNODE_ASSIGN_OR_RETURN(
        SqliteQuery remove,
        database_->Query(
            "DELETE FROM failures WHERE job = ?1 AND first_task = ?2"));
    remove.Bind(1, Stored(fact.job));
    remove.Bind(2, fact.failure.tasks.begin);
    INTERNODE_RETURN_IF_ERROR(remove.Run());
  }
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery insert,
      database_->Query("INSERT INTO failures VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  insert.Bind(1, Stored(fact.job));
  insert.Bind(2, fact.failure.tasks.begin);
  insert.Bind(3, fact.failure.tasks.end);
  insert.Bind(4, WordOf(kFailureKinds, fact.failure.kind));
  insert.Bind(5, fact.failure.message);
  insert.Bind(6, Stored(fact.failure.worker));
  INTERNODE_RETURN_IF_ERROR(insert.Run());
  return WriteHistory(fact);
}

absl::Status SqliteJournal::WriteHistory(const TasksFailed& fact) {
  int64_t position = 0;
  for (const Happening& happening : fact.failure.history) {
    INTERNODE_ASSIGN_OR_RETURN(
        SqliteQuery insert,
        database_->Query(
            "INSERT INTO happenings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
    insert.Bind(1, Stored(fact.job));
    insert.Bind(2, fact.failure.tasks.begin);
    insert.Bind(3, position++);
    insert.Bind(4, absl::ToUnixNanos(happening.when));
    insert.Bind(5, Stored(happening.worker));
    insert.Bind(6, WordOf(kHappeningKinds, happening.kind));
    insert.Bind(7, happening.message);
    INTERNODE_RETURN_IF_ERROR(insert.Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteJournal::Write(const FailuresVoided& fact) {
  INTERNODE_RETURN_IF_ERROR(CheckExists(fact.job));
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery remove,
      database_->Query("DELETE FROM failures WHERE job = ?1"));
  remove.Bind(1, Stored(fact.job));
  return remove.Run();
}

absl::Status SqliteJournal::Write(const JobErased& fact) {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery remove, database_->Query("DELETE FROM jobs WHERE job = ?1"));
  remove.Bind(1, Stored(fact.job));
  return remove.Run();
}

absl::StatusOr<std::vector<JournalJob>> SqliteJournal::Jobs() {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery query,
      database_->Query(
          "SELECT job, name, num_tasks, priority, max_retries, "
          "max_failed_tasks, task_timeout_ns, submitted_ns, state, message, "
          "started_ns, finished_ns, num_done, num_failed, plan FROM jobs "
          "ORDER BY job"));
  std::vector<JournalJob> jobs;
  while (true) {
    INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return jobs;
    INTERNODE_ASSIGN_OR_RETURN(JournalJob job, JobAt(query));
    jobs.push_back(std::move(job));
  }
}

absl::StatusOr<std::vector<TaskFailure>> SqliteJournal::Failures(
    core::JobId job, int64_t first_task, int64_t most) {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery query,
      database_->Query("SELECT first_task, end_task, kind, message, worker "
                       "FROM failures WHERE job = ?1 AND end_task > ?2 AND "
                       "first_task >= coalesce((SELECT max(first_task) "
                       "FROM failures WHERE job = ?1 AND first_task <= ?2), 0) "
                       "ORDER BY first_task LIMIT ?3"));
  query.Bind(1, Stored(job));
  query.Bind(2, first_task);
  query.Bind(3, std::max(most, int64_t{0}));
  std::vector<TaskFailure> failures;
  while (true) {
    INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return failures;
    TaskFailure failure;
    failure.tasks = {query.Int(0), query.Int(1)};
    INTERNODE_ASSIGN_OR_RETURN(failure.kind,
                               ValueOf(kFailureKinds, query.Text(2)));
    failure.message = query.Text(3);
    failure.worker = {static_cast<uint64_t>(query.Int(4))};
    INTERNODE_ASSIGN_OR_RETURN(failure.history,
                               History(job, failure.tasks.begin));
    failures.push_back(std::move(failure));
  }
}

absl::StatusOr<std::vector<Happening>> SqliteJournal::History(
    core::JobId job, int64_t first_task) {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery query,
      database_->Query("SELECT when_ns, worker, kind, message FROM happenings "
                       "WHERE job = ?1 AND first_task = ?2 ORDER BY position"));
  query.Bind(1, Stored(job));
  query.Bind(2, first_task);
  std::vector<Happening> history;
  while (true) {
    INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return history;
    Happening happening;
    happening.when = absl::FromUnixNanos(query.Int(0));
    happening.worker = {static_cast<uint64_t>(query.Int(1))};
    INTERNODE_ASSIGN_OR_RETURN(happening.kind,
                               ValueOf(kHappeningKinds, query.Text(2)));
    happening.message = query.Text(3);
    history.push_back(std::move(happening));
  }
}

absl::StatusOr<std::vector<core::JobId>> SqliteJournal::FinishedBefore(
    absl::Time time) {
  INTERNODE_ASSIGN_OR_RETURN(
      SqliteQuery query,
      database_->Query(
          "SELECT job FROM jobs WHERE finished_ns < ?1 ORDER BY job"));
  query.Bind(1, absl::ToUnixNanos(time));
  std::vector<core::JobId> jobs;
  while (true) {
    INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return jobs;
    jobs.push_back({static_cast<uint64_t>(query.Int(0))});
  }
}

}  // namespace internode::scheduler
