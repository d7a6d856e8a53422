#include "scheduler/journal/sqlite_schema.h"

#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/journal/sqlite_journal.h"

namespace internode::scheduler {
namespace {

// "INJ1"; tells a journal from other databases.
constexpr int64_t kApplicationId = 0x494e4a31;

// What brings the tables from version i to i + 1. NOTE: never changed once
// released; docs/journal.md has the meaning of the columns.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO counters VALUES ('incarnation', 0), ('next_job', 1);
      CREATE TABLE jobs (
        job INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        num_tasks INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        max_retries INTEGER NOT NULL,
        max_failed_tasks INTEGER NOT NULL,
        task_timeout_ns INTEGER,
        submitted_ns INTEGER NOT NULL,
        state TEXT NOT NULL,
        message TEXT NOT NULL,
        started_ns INTEGER,
        finished_ns INTEGER,
        num_done INTEGER NOT NULL,
        num_failed INTEGER NOT NULL,
        plan BLOB NOT NULL
      ) STRICT;
      CREATE TABLE failures (
        job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
        first_task INTEGER NOT NULL,
        end_task INTEGER NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        worker INTEGER NOT NULL,
        PRIMARY KEY (job, first_task)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE happenings (
        job INTEGER NOT NULL,
        first_task INTEGER NOT NULL,
        position INTEGER NOT NULL,
        when_ns INTEGER NOT NULL,
        worker INTEGER NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (job, first_task, position),
        FOREIGN KEY (job, first_task) REFERENCES failures ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
    )sql"};
static_assert(std::size(kMigrations) == SqliteJournal::kSchemaVersion);

absl::Status CheckKind(int64_t version, SqliteDatabase* database) {
  INTERNODE_ASSIGN_OR_RETURN(const int64_t application,
                             database->QueryInt("PRAGMA application_id"));
  INTERNODE_ASSIGN_OR_RETURN(
      const int64_t tables,
      database->QueryInt("SELECT count(*) FROM sqlite_schema"));
  const bool empty = application == 0 && version == 0 && tables == 0;
  if (application != kApplicationId && !empty) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", database->path(), "' is a database of another program"));
  }
  if (version > SqliteJournal::kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "journal '", database->path(), "' has version ", version,
        "; this program knows versions up to ", SqliteJournal::kSchemaVersion,
        ": a newer scheduler wrote it"));
  }
  return absl::OkStatus();
}

absl::Status CheckSound(SqliteDatabase* database) {
  INTERNODE_ASSIGN_OR_RETURN(SqliteQuery query,
                             database->Query("PRAGMA quick_check(1)"));
  INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
  const std::string answer = found ? query.Text(0) : "no answer";
  if (answer == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "journal '", database->path(),
      "' is damaged: move it away, or restore a copy (", answer, ")"));
}

}  // namespace

absl::Status PrepareSchema(SqliteDatabase* database) {
  INTERNODE_ASSIGN_OR_RETURN(const int64_t version,
                             database->QueryInt("PRAGMA user_version"));
  INTERNODE_RETURN_IF_ERROR(CheckKind(version, database));
  INTERNODE_RETURN_IF_ERROR(CheckSound(database));
  if (version == SqliteJournal::kSchemaVersion) return absl::OkStatus();
  std::string sql = "BEGIN IMMEDIATE;";
  for (int64_t i = version; i < SqliteJournal::kSchemaVersion; ++i) {
    absl::StrAppend(&sql, kMigrations[i]);
  }
  absl::StrAppend(&sql, "PRAGMA application_id=", kApplicationId,
                  ";PRAGMA user_version=", SqliteJournal::kSchemaVersion,
                  ";COMMIT;");
  absl::Status migrated = database->Execute(sql.c_str());
  database->Rollback();
  return migrated;
}

}  // namespace internode::scheduler
