#include "scheduler/journal/journal.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/journal/test_journals.h"

// What every journal does: each test runs on SqliteJournal and on the fake that
// other tests use, MemoryJournal.

namespace internode::scheduler {
namespace {

using core::JobState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JournalTest : public ::testing::TestWithParam<std::string> {
 protected:
  JournalTest() { Restart(); }

  void Restart() {
    if (GetParam() == "memory") {
      if (journal_ != nullptr) memory_.Restart();
      journal_ = &memory_;
      return;
    }
    sqlite_.reset();
    auto journal = SqliteJournal::Open(folder_.Path("journal.db"), {});
    ASSERT_TRUE(journal.ok()) << journal.status();
    sqlite_ = *std::move(journal);
    journal_ = sqlite_.get();
  }

  core::JobId Accept() {
    const core::JobId id = journal_->NextJobId();
    EXPECT_TRUE(journal_->Commit({JobAccepted{RandomJob(id, &random_)}}).ok());
    return id;
  }

  absl::Status Change(core::JobId job, JobState state, int64_t second) {
    return journal_->Commit(
        {JobChanged{.job = job, .state = state, .when = Second(second)}});
  }

  std::mt19937 random_{7};
  TemporaryFolder folder_;
  testing::MemoryJournal memory_;
  std::unique_ptr<SqliteJournal> sqlite_;
  Journal* journal_ = nullptr;
};

TEST_P(JournalTest, ANewOneIsEmpty) {
  EXPECT_THAT(journal_->Jobs().value(), IsEmpty());
  EXPECT_THAT(journal_->Failures({1}, 0, 10).value(), IsEmpty());
  EXPECT_THAT(journal_->FinishedBefore(Second(0)).value(), IsEmpty());
  EXPECT_TRUE(journal_->Commit({}).ok());
}

TEST_P(JournalTest, HasAfterARestartWhatWasCommitted) {
  const core::JobId id = journal_->NextJobId();
  const JournalJob job = RandomJob(id, &random_);
  core::TaskFailure failure = RandomFailure(&random_);
  failure.history.resize(3);
  for (core::Happening& happening : failure.history) happening.when = Second(1);
  ASSERT_TRUE(journal_
                  ->Commit({JobAccepted{job},
                            JobChanged{.job = id,
                                       .state = JobState::kRunning,
                                       .when = Second(5)},
                            TasksFailed{id, failure},
                            JobChanged{.job = id,
                                       .state = JobState::kFailed,
                                       .message = "too many failures",
                                       .when = Second(9),
                                       .num_done = 3,
                                       .num_failed = 1}})
                  .ok());
  Restart();
  JournalJob expected = job;
  expected.state = JobState::kFailed;
  expected.message = "too many failures";
  expected.started = Second(5);
  expected.finished = Second(9);
  expected.num_done = 3;
  expected.num_failed = 1;
  EXPECT_THAT(journal_->Jobs().value(), ElementsAre(expected));
  EXPECT_THAT(journal_->Failures(id, 0, 10).value(), ElementsAre(failure));
}

TEST_P(JournalTest, CommitsAllFactsOrNone) {
  const core::JobId id = Accept();
  const std::vector<JournalJob> before = journal_->Jobs().value();
  const std::vector<Fact> facts = {
      TasksFailed{id, RandomFailure(&random_)},
      JobChanged{.job = id, .state = JobState::kCancelled, .when = Second(1)},
      FailuresVoided{{99}}};
  EXPECT_EQ(journal_->Commit(facts).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(journal_->Jobs().value(), before);
  EXPECT_THAT(journal_->Failures(id, 0, 10).value(), IsEmpty());
  EXPECT_TRUE(journal_->Commit({FailuresVoided{id}}).ok());
}

TEST_P(JournalTest, IdsAreNeverGivenTwice) {
  EXPECT_EQ(journal_->NextJobId().value, 1u);
  const core::JobId second = Accept();
  EXPECT_EQ(second.value, 2u);
  Restart();
  const core::JobId third = Accept();
  EXPECT_EQ(third.value, 3u);
  ASSERT_TRUE(journal_->Commit({JobErased{second}, JobErased{third}}).ok());
  Restart();
  EXPECT_EQ(journal_->NextJobId().value, 4u);
}

TEST_P(JournalTest, CountsItsStarts) {
  const uint64_t first = journal_->incarnation();
  Restart();
  Restart();
  EXPECT_EQ(journal_->incarnation(), first + 2);
}

TEST_P(JournalTest, AnErasedJobIsGoneWithItsFailures) {
  const core::JobId one = Accept();
  const core::JobId two = Accept();
  for (const core::JobId id : {one, two}) {
    ASSERT_TRUE(
        journal_->Commit({TasksFailed{id, RandomFailure(&random_)}}).ok());
  }
  ASSERT_TRUE(journal_->Commit({JobErased{one}}).ok());
  EXPECT_TRUE(journal_->Commit({JobErased{one}}).ok());
  ASSERT_THAT(journal_->Jobs().value(), SizeIs(1));
  EXPECT_THAT(journal_->Failures(one, 0, 10).value(), IsEmpty());
  EXPECT_THAT(journal_->Failures(two, 0, 10).value(), SizeIs(1));
  ASSERT_TRUE(journal_->Commit({JobAccepted{RandomJob(one, &random_)}}).ok());
  EXPECT_THAT(journal_->Failures(one, 0, 10).value(), IsEmpty());
}

TEST_P(JournalTest, FailuresAreGivenInPages) {
  const core::JobId id = Accept();
  std::vector<Fact> facts;
  for (int64_t task = 100; task-- > 0;) {
    core::TaskFailure failure;
    failure.tasks = {task * 2, task * 2 + 1};
    facts.push_back(TasksFailed{id, failure});
  }
  ASSERT_TRUE(journal_->Commit(facts).ok());
  EXPECT_THAT(journal_->Failures(id, 0, 1000).value(), SizeIs(100));
  EXPECT_THAT(journal_->Failures(id, 0, 0).value(), IsEmpty());
  const auto page = journal_->Failures(id, 51, 2).value();
  ASSERT_THAT(page, SizeIs(2));
  EXPECT_EQ(page[0].tasks.begin, 52);
  EXPECT_EQ(page[1].tasks.begin, 54);
  ASSERT_TRUE(journal_->Commit({FailuresVoided{id}}).ok());
  EXPECT_THAT(journal_->Failures(id, 0, 1000).value(), IsEmpty());
}

TEST_P(JournalTest, FailuresAreFoundByAnyOfTheirTasks) {
  const core::JobId id = Accept();
  core::TaskFailure failure;
  failure.tasks = {10, 20};
  ASSERT_TRUE(journal_->Commit({TasksFailed{id, failure}}).ok());
  for (const int64_t inside : {0, 10, 15, 19}) {
    EXPECT_THAT(journal_->Failures(id, inside, 10).value(), SizeIs(1));
  }
  EXPECT_THAT(journal_->Failures(id, 20, 10).value(), IsEmpty());
}

TEST_P(JournalTest, FindsJobsThatEndedLongAgo) {
  const core::JobId old = Accept();
  const core::JobId young = Accept();
  const core::JobId running = Accept();
  const core::JobId again = Accept();
  ASSERT_TRUE(Change(old, JobState::kCancelled, 10).ok());
  ASSERT_TRUE(Change(young, JobState::kCompleted, 20).ok());
  ASSERT_TRUE(Change(running, JobState::kRunning, 5).ok());
  ASSERT_TRUE(Change(again, JobState::kCompletedWithFailures, 5).ok());
  ASSERT_TRUE(Change(again, JobState::kRunning, 6).ok());
  EXPECT_THAT(journal_->FinishedBefore(Second(20)).value(), ElementsAre(old));
  EXPECT_THAT(journal_->FinishedBefore(Second(21)).value(),
              ElementsAre(old, young));
}

TEST_P(JournalTest, AJobIsAcceptedOnce) {
  const core::JobId id = Accept();
  EXPECT_EQ(journal_->Commit({JobAccepted{RandomJob(id, &random_)}}).code(),
            absl::StatusCode::kAlreadyExists);
  for (const uint64_t number : {uint64_t{0}, ~uint64_t{0}}) {
    EXPECT_EQ(
        journal_->Commit({JobAccepted{RandomJob({number}, &random_)}}).code(),
        absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(JournalTest, DoesWhatTheFakeDoes) {
  testing::MemoryJournal expected;
  for (int step = 0; step < 300; ++step) {
    std::vector<Fact> facts;
    for (auto count = random_() % 4; count > 0; --count) {
      facts.push_back(RandomFact(&random_));
    }
    ASSERT_EQ(journal_->Commit(facts).code(), expected.Commit(facts).code());
    if (step % 50 == 49) Restart();
    if (step % 10 == 9) ExpectEqual(journal_, &expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, JournalTest,
                         ::testing::Values("sqlite", "memory"),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace internode::scheduler
