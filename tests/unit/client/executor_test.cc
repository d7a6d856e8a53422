#include "internode/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tests/unit/client/fake_tasks.h"

namespace internode {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using ExecutorOr = absl::StatusOr<std::unique_ptr<Executor>>;

TEST(MakeExecutorTest, KnowsTheNamesThatStemsKnows) {
  for (const char* name : {"sync", "single-threaded", "synchronous"}) {
    const ExecutorOr executor = MakeExecutor(name);
    ASSERT_TRUE(executor.ok()) << name;
    EXPECT_EQ((*executor)->kind(), ExecutorKind::kSync);
    EXPECT_EQ((*executor)->num_workers(), 1);
  }
  const ExecutorOr threads = MakeExecutor("threads", "3");
  ASSERT_TRUE(threads.ok());
  EXPECT_EQ((*threads)->kind(), ExecutorKind::kThreads);
  EXPECT_EQ((*threads)->num_workers(), 3);
}

TEST(MakeExecutorTest, ThreadsWithoutANumberUseTheCores) {
  const ExecutorOr threads = MakeExecutor("threads");
  ASSERT_TRUE(threads.ok());
  EXPECT_EQ((*threads)->num_workers(), UsableCores());
  EXPECT_GE(UsableCores(), 1);
}

TEST(MakeExecutorTest, AnythingElseIsAnErrorThatNamesWhatIsSupported) {
  const ExecutorOr executor = MakeExecutor("thread");
  EXPECT_EQ(executor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(executor.status().message()),
      AllOf(HasSubstr("'thread'"), HasSubstr("sync"), HasSubstr("distributed"),
            HasSubstr("did you mean 'threads'?")));
}

TEST(MakeExecutorTest, AClusterNeedsANumberOrAnAddress) {
  for (const char* value : {"0", "-1", "5000", "1.5", "host", ""}) {
    EXPECT_EQ(MakeExecutor("distributed", value).status().code(),
              absl::StatusCode::kInvalidArgument)
        << value;
  }
  // Processes are of this machine: no address.
  EXPECT_EQ(MakeExecutor("processes", "127.0.0.1:8786").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(MakeExecutorTest, BadNumbersOfWorkersAreErrors) {
  for (const char* value : {"0", "-1", "x", "", "5000", "1.5"}) {
    EXPECT_EQ(MakeExecutor("threads", value).status().code(),
              absl::StatusCode::kInvalidArgument)
        << value;
  }
  EXPECT_EQ(MakeExecutor("sync", "2").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(MakeExecutor("sync", "1").ok());
}

TEST(ExecutorTest, EveryKindRunsTheSameTasks) {
  for (const auto& executor : {Executor::Sync(), Executor::Threads(4)}) {
    client::FakeTasks tasks(20);
    EXPECT_EQ(executor->RunTasks(&tasks, {}), absl::OkStatus());
    EXPECT_EQ(tasks.delivered.size(), 20u);
  }
  EXPECT_EQ(Executor::Threads(-3)->num_workers(), 1);
}

}  // namespace
}  // namespace internode
