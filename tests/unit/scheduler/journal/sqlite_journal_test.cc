#include "scheduler/journal/sqlite_journal.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/journal/test_journals.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class SqliteJournalTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteJournal>> Open() {
    return SqliteJournal::Open(path_, {});
  }

  // Runs `sql` on the file as another program would.
  void Execute(const std::string& sql) {
    auto database = SqliteDatabase::Open(path_);
    ASSERT_TRUE(database.ok()) << database.status();
    const absl::Status status = (*database)->Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }

  void ExpectRefused(absl::StatusCode code, const std::string& text) {
    const absl::Status status = Open().status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(status.message(), HasSubstr(text));
    EXPECT_THAT(status.message(), HasSubstr(path_));
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.Path("journal.db");
  std::mt19937 random_{3};
};

TEST_F(SqliteJournalTest, ANewerVersionIsRefused) {
  ASSERT_TRUE(Open().ok());
  Execute("PRAGMA user_version=2");
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                "has version 2; this program knows versions up to 1");
  Execute("PRAGMA user_version=1");
  EXPECT_TRUE(Open().ok());
}

TEST_F(SqliteJournalTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  Execute("CREATE TABLE birds (name TEXT)");
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                "is a database of another program");
  Execute("INSERT INTO birds VALUES ('wren')");
}

TEST_F(SqliteJournalTest, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(path_) << std::string(5000, 'x');
  ExpectRefused(absl::StatusCode::kDataLoss, "it is damaged");
}

TEST_F(SqliteJournalTest, DamageAnywhereIsAnErrorOrHarmless) {
  std::vector<JournalJob> jobs;
  {
    auto journal = Open().value();
    for (uint64_t id = 1; id <= 40; ++id) {
      ASSERT_TRUE(
          journal->Commit({JobAccepted{RandomJob({id}, &random_)}}).ok());
    }
    jobs = journal->Jobs().value();
  }
  std::string good(std::filesystem::file_size(path_), '\0');
  std::ifstream(path_, std::ios::binary)
      .read(good.data(), static_cast<std::streamsize>(good.size()));
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = good;
    const size_t page = random_() % (bad.size() / 4096);
    for (size_t i = 0; i < 64; ++i) {
      bad[page * 4096 + i] = static_cast<char>(random_());
    }
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
    const auto journal = Open();
    if (!journal.ok()) {
      EXPECT_THAT(journal.status().code(),
                  ::testing::AnyOf(absl::StatusCode::kDataLoss,
                                   absl::StatusCode::kFailedPrecondition,
                                   absl::StatusCode::kUnavailable))
          << journal.status();
      ++refused;
    }
    std::filesystem::remove(path_ + "-wal");
    std::filesystem::remove(path_ + "-shm");
  }
  EXPECT_GT(refused, 40);
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << good;
  EXPECT_EQ(Open().value()->Jobs().value(), jobs);
}

TEST_F(SqliteJournalTest, ATruncatedFileIsRefused) {
  {
    auto journal = Open().value();
    for (uint64_t id = 1; id <= 40; ++id) {
      ASSERT_TRUE(
          journal->Commit({JobAccepted{RandomJob({id}, &random_)}}).ok());
    }
  }
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  ExpectRefused(absl::StatusCode::kDataLoss, "damaged");
}

TEST_F(SqliteJournalTest, AWordThatItDoesNotKnowIsAnError) {
  {
    auto journal = Open().value();
    ASSERT_TRUE(journal->Commit({JobAccepted{RandomJob({1}, &random_)}}).ok());
  }
  Execute("UPDATE jobs SET state = 'sleeping'");
  const absl::Status status = Open().value()->Jobs().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("'sleeping'"));
}

TEST_F(SqliteJournalTest, AFolderThatIsNotThereIsNamed) {
  const absl::Status status =
      SqliteJournal::Open(folder_.Path("no/journal.db"), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("no/journal.db"));
}

TEST_F(SqliteJournalTest, ALockedFileIsAnErrorThatSaysSo) {
  auto journal = Open().value();
  auto other = SqliteDatabase::Open(path_).value();
  ASSERT_TRUE(other->Execute("BEGIN EXCLUSIVE").ok());
  const absl::Status status =
      journal->Commit({JobAccepted{RandomJob({1}, &random_)}});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("another process has it open"));
  other->Rollback();
  EXPECT_TRUE(journal->Commit({JobAccepted{RandomJob({1}, &random_)}}).ok());
}

TEST_F(SqliteJournalTest, AFullDiskIsAnErrorAndPasses) {
  auto journal = Open().value();
  ASSERT_TRUE(journal->Commit({JobAccepted{RandomJob({1}, &random_)}}).ok());
  JournalJob large = RandomJob({2}, &random_);
  large.plan = std::string(size_t{4} << 20, 'p');
  // Writing beyond this limit of the process fails as on a full disk.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {size_t{1} << 20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = journal->Commit({JobAccepted{large}});
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(status.code(),
              ::testing::AnyOf(absl::StatusCode::kResourceExhausted,
                               absl::StatusCode::kUnavailable))
      << status;
  EXPECT_THAT(journal->Jobs().value(), SizeIs(1));
  EXPECT_TRUE(journal->Commit({JobAccepted{large}}).ok());
  EXPECT_THAT(journal->Jobs().value(), SizeIs(2));
}

// Commits batches for as long as it lives, and reports each on `pipe`: batch i
// is job i, its change, and ten failures.
[[noreturn]] void CommitForever(const std::string& path, int pipe) {
  auto journal = SqliteJournal::Open(path, {});
  std::mt19937 random(1);
  while (journal.ok()) {
    const core::JobId id = (*journal)->NextJobId();
    std::vector<Fact> facts = {JobAccepted{RandomJob(id, &random)}};
    for (int64_t task = 0; task < 10; ++task) {
      core::TaskFailure failure;
      failure.tasks = {task, task + 1};
      failure.history.resize(1);
      failure.history[0].when = Second(0);
      facts.push_back(TasksFailed{id, failure});
    }
    facts.push_back(JobChanged{
        .job = id, .state = core::JobState::kRunning, .when = Second(1)});
    if (!(*journal)->Commit(facts).ok()) break;
    if (write(pipe, &id.value, sizeof(id.value)) != sizeof(id.value)) break;
  }
  _exit(1);
}

TEST_F(SqliteJournalTest, AKilledProcessLeavesWhatItCommittedAndNothingHalf) {
  uint64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) CommitForever(path_, ends[1]);
    close(ends[1]);
    // Killed right after, or in the middle of, some commit.
    for (auto reports = 1 + random_() % 20; reports > 0; --reports) {
      ASSERT_EQ(read(ends[0], &last, sizeof(last)),
                static_cast<ssize_t>(sizeof(last)));
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (read(ends[0], &last, sizeof(last)) > 0) {
    }
    close(ends[0]);

    auto journal = Open().value();
    const std::vector<JournalJob> jobs = journal->Jobs().value();
    // One may have been committed, and not been reported.
    ASSERT_GE(jobs.size(), last);
    ASSERT_LE(jobs.size(), last + 1);
    for (const JournalJob& job : jobs) {
      ASSERT_EQ(job.state, core::JobState::kRunning);
      const auto failures = journal->Failures(job.job, 0, 100).value();
      ASSERT_THAT(failures, SizeIs(10));
      for (const auto& failure : failures) {
        ASSERT_THAT(failure.history, SizeIs(1));
      }
    }
    EXPECT_EQ(journal->NextJobId().value, jobs.size() + 1);
    last = jobs.size();
  }
}

}  // namespace
}  // namespace internode::scheduler
