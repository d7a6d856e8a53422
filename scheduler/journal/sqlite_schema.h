#ifndef INTERNODE_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
#define INTERNODE_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_

#include "absl/status/status.h"

#include "scheduler/journal/sqlite.h"

namespace internode::scheduler {

// Sees to it that `database` is a sound journal with the tables of this
// program's version: creates them in an empty one, and brings older ones up to
// date, in one transaction. Errors: as SqliteJournal::Open; the database is
// then as it was.
absl::Status PrepareSchema(SqliteDatabase* database);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_JOURNAL_SQLITE_SCHEMA_H_
