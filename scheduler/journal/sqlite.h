#ifndef INTERNODE_SCHEDULER_JOURNAL_SQLITE_H_
#define INTERNODE_SCHEDULER_JOURNAL_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What the journal needs of SQLite's C interface, with owned handles and
// statuses.

namespace internode::scheduler {

class SqliteDatabase;

// A prepared statement while it is used; reset at the end of its scope.
// Thread-compatible.
class SqliteQuery {
 public:
  SqliteQuery(SqliteDatabase* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  SqliteQuery(SqliteQuery&& other) noexcept
      : database_(other.database_), statement_(other.statement_) {
    other.statement_ = nullptr;
  }
  SqliteQuery& operator=(SqliteQuery&&) = delete;
  ~SqliteQuery();

  // Parameters count from 1. The bytes must outlive the next step.
  void Bind(int parameter, int64_t value);
  void Bind(int parameter, absl::string_view text);
  void BindBlob(int parameter, absl::string_view bytes);
  void BindNull(int parameter);

  // Goes to the first, or next, row; false: there is none.
  absl::StatusOr<bool> Step();
  // Runs a statement that has no rows.
  absl::Status Run();

  // Of the current row; columns count from 0.
  int64_t Int(int column) const;
  std::string Text(int column) const;
  bool IsNull(int column) const;

 private:
  SqliteDatabase* const database_;
  sqlite3_stmt* statement_;
  // The first error of a Bind.
  int bind_result_ = SQLITE_OK;
};

// An open database. Thread-compatible.
class SqliteDatabase {
 public:
  // Opens the file `path`, or creates it. Another process that holds a lock is
  // waited for, for a few seconds at the most.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  // Runs statements whose rows, if any, do not matter.
  absl::Status Execute(const char* sql);
  // `sql`, a literal, is prepared once.
  absl::StatusOr<SqliteQuery> Query(const char* sql);
  // The one number that `sql`, a literal, gives.
  absl::StatusOr<int64_t> QueryInt(const char* sql);

  // Ends the transaction that is open, if there is one, undone.
  void Rollback();
  // Rows that the last statement changed.
  int64_t changes() const { return sqlite3_changes64(database_); }

  const std::string& path() const { return path_; }
  // The status of a call that gave `result`.
  absl::Status StatusOf(int result) const;

 private:
  SqliteDatabase(sqlite3* database, std::string path)
      : database_(database), path_(std::move(path)) {}

  sqlite3* const database_;
  const std::string path_;
  std::map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_JOURNAL_SQLITE_H_
