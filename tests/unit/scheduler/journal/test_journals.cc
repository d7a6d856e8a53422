#include "tests/unit/scheduler/journal/test_journals.h"

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "gtest/gtest.h"

namespace internode::scheduler {

TemporaryFolder::TemporaryFolder()
    : folder_(::testing::TempDir() + "/journalXXXXXX") {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(folder_); }

absl::Time Second(int64_t seconds) {
  return absl::FromUnixSeconds(1700000000 + seconds);
}

JournalJob RandomJob(core::JobId id, std::mt19937* random) {
  JournalJob job;
  job.job = id;
  job.name = (*random)() % 2 == 0 ? "" : "a job named \"\u00e9'--;";
  job.num_tasks = static_cast<int64_t>((*random)()) << 20;
  job.priority = static_cast<int>((*random)() % 20) - 10;
  job.policies.max_retries = static_cast<int>((*random)() % 5);
  job.policies.max_failed_tasks = static_cast<int64_t>((*random)() % 5) - 1;
  if ((*random)() % 2 == 0) job.policies.task_timeout = absl::Seconds(90);
  job.submitted = Second((*random)() % 1000) + absl::Nanoseconds(17);
  for (auto size = (*random)() % 300; size > 0; --size) {
    job.plan.push_back(static_cast<char>((*random)()));
  }
  return job;
}

core::TaskFailure RandomFailure(std::mt19937* random) {
  core::TaskFailure failure;
  failure.tasks.begin = (*random)() % 50;
  failure.tasks.end =
      failure.tasks.begin + 1 + static_cast<int64_t>((*random)() % 5);
  failure.kind = (*random)() % 2 == 0 ? core::TaskFailure::Kind::kError
                                      : core::TaskFailure::Kind::kPoisonous;
  failure.message = std::string((*random)() % 40, 'm') + std::string(1, '\0');
  failure.worker = {std::numeric_limits<uint64_t>::max() - (*random)() % 3};
  for (auto count = (*random)() % 4; count > 0; --count) {
    failure.history.push_back({.when = Second((*random)() % 100),
                               .worker = {(*random)() % 9},
                               .kind = core::Happening::Kind::kProcessDied,
                               .message = "signal 11"});
  }
  return failure;
}

Fact RandomFact(std::mt19937* random) {
  const core::JobId id = {1 + (*random)() % 5};
  switch ((*random)() % 10) {
    case 0:
    case 1:
      return JobAccepted{RandomJob(id, random)};
    case 2:
      return JobErased{id};
    case 3:
      return FailuresVoided{id};
    case 4:
    case 5:
    case 6:
      return TasksFailed{id, RandomFailure(random)};
    default:
      return JobChanged{.job = id,
                        .state = static_cast<core::JobState>((*random)() % 6),
                        .message = std::string((*random)() % 3, 'w'),
                        .when = Second((*random)() % 1000),
                        .num_done = static_cast<int64_t>((*random)() % 100),
                        .num_failed = static_cast<int64_t>((*random)() % 9)};
  }
}

void ExpectEqual(Journal* got, Journal* want) {
  EXPECT_EQ(got->Jobs().value(), want->Jobs().value());
  for (uint64_t id = 1; id <= 5; ++id) {
    EXPECT_EQ(got->Failures({id}, 0, 1000).value(),
              want->Failures({id}, 0, 1000).value());
    EXPECT_EQ(got->Failures({id}, 20, 2).value(),
              want->Failures({id}, 20, 2).value());
  }
  for (const int64_t second : {0, 500, 2000}) {
    EXPECT_EQ(got->FinishedBefore(Second(second)).value(),
              want->FinishedBefore(Second(second)).value());
  }
}

}  // namespace internode::scheduler
