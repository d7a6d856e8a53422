#ifndef INTERNODE_TESTS_UNIT_SCHEDULER_JOURNAL_TEST_JOURNALS_H_
#define INTERNODE_TESTS_UNIT_SCHEDULER_JOURNAL_TEST_JOURNALS_H_

#include <memory>
#include <random>
#include <string>

#include "absl/time/time.h"

#include "scheduler/journal/sqlite_journal.h"
#include "tests/support/memory_journal.h"

namespace internode::scheduler {

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

 private:
  std::string folder_;
};

absl::Time Second(int64_t seconds);
JournalJob RandomJob(core::JobId id, std::mt19937* random);
core::TaskFailure RandomFailure(std::mt19937* random);
// A fact about one of the jobs 1 to 5, or about one that is not there.
Fact RandomFact(std::mt19937* random);

// Whether all that the two journals say is the same.
void ExpectEqual(Journal* got, Journal* want);

}  // namespace internode::scheduler

#endif  // INTERNODE_TESTS_UNIT_SCHEDULER_JOURNAL_TEST_JOURNALS_H_
