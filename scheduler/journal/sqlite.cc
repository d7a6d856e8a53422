#include "scheduler/journal/sqlite.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::scheduler {
namespace {

constexpr int kBusyTimeoutMs = 2000;

// The code, and what a user can do about it.
struct Meaning {
  absl::StatusCode code;
  absl::string_view hint;
};

Meaning MeaningOf(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {absl::StatusCode::kUnavailable,
              "; another process has it open and locked"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {absl::StatusCode::kDataLoss,
              "; it is damaged: move it away, or restore a copy"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {absl::StatusCode::kPermissionDenied, "; it cannot be written"};
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return {absl::StatusCode::kResourceExhausted, ""};
    case SQLITE_CANTOPEN:
      return {absl::StatusCode::kFailedPrecondition,
              "; its folder must exist and be writable"};
    case SQLITE_IOERR:
      return {absl::StatusCode::kUnavailable, "; the disk fails"};
    case SQLITE_CONSTRAINT:
      return {absl::StatusCode::kAlreadyExists, ""};
    default:
      return {absl::StatusCode::kInternal, ""};
  }
}

}  // namespace

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void SqliteQuery::Bind(int parameter, int64_t value) {
  const int result = sqlite3_bind_int64(statement_, parameter, value);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

void SqliteQuery::Bind(int parameter, absl::string_view text) {
  const int result = sqlite3_bind_text64(
      statement_, parameter, text.data() == nullptr ? "" : text.data(),
      text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

void SqliteQuery::BindBlob(int parameter, absl::string_view bytes) {
  const int result =
      bytes.empty() ? sqlite3_bind_zeroblob(statement_, parameter, 0)
                    : sqlite3_bind_blob64(statement_, parameter, bytes.data(),
                                          bytes.size(), SQLITE_STATIC);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

void SqliteQuery::BindNull(int parameter) {
  const int result = sqlite3_bind_null(statement_, parameter);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

absl::StatusOr<bool> SqliteQuery::Step() {
  if (bind_result_ != SQLITE_OK) return database_->StatusOf(bind_result_);
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database_->StatusOf(result);
}

absl::Status SqliteQuery::Run() { return Step().status(); }

int64_t SqliteQuery::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string SqliteQuery::Text(int column) const {
  const auto* bytes =
      static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<size_t>(size));
}

bool SqliteQuery::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const std::string& path) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  // There is a handle even after most errors.
  auto database = absl::WrapUnique(new SqliteDatabase(handle, path));
  if (result != SQLITE_OK) return database->StatusOf(result);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

absl::Status SqliteDatabase::Execute(const char* sql) {
  return StatusOf(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

absl::StatusOr<SqliteQuery> SqliteDatabase::Query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int result = sqlite3_prepare_v3(
        database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) {
      statements_.erase(sql);
      return StatusOf(result);
    }
  }
  return SqliteQuery(this, statement);
}

absl::StatusOr<int64_t> SqliteDatabase::QueryInt(const char* sql) {
  INTERNODE_ASSIGN_OR_RETURN(SqliteQuery query, Query(sql));
  INTERNODE_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return absl::InternalError(absl::StrCat("no row: ", sql));
  return query.Int(0);
}

void SqliteDatabase::Rollback() {
  if (sqlite3_get_autocommit(database_) == 0) {
    Execute("ROLLBACK").IgnoreError();
  }
}

absl::Status SqliteDatabase::StatusOf(int result) const {
  if (result == SQLITE_OK) return absl::OkStatus();
  const char* const detail =
      database_ == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(database_);
  const Meaning meaning = MeaningOf(result);
  return absl::Status(meaning.code, absl::StrCat("journal '", path_,
                                                 "': ", detail, meaning.hint));
}

}  // namespace internode::scheduler
