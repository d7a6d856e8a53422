#include "client/cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace internode::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Parses `words` as a program would.
void Parse(CLI::App* app, std::vector<const char*> words) {
  words.insert(words.begin(), "program");
  app->parse(
      JoinExecutorArguments(static_cast<int>(words.size()), words.data()));
}

absl::StatusOr<std::unique_ptr<Executor>> ExecutorOf(
    const std::vector<const char*>& words) {
  CLI::App app;
  ExecutorOptions options;
  AddExecutorOptions(&app, &options);
  Parse(&app, words);
  return MakeExecutor(options);
}

TEST(ExecutorOptionsTest, WithoutOptionsWorkRunsInTheProcess) {
  const auto executor = ExecutorOf({});
  ASSERT_TRUE(executor.ok());
  EXPECT_EQ((*executor)->kind(), ExecutorKind::kSync);
}

TEST(ExecutorOptionsTest, KindAndValue) {
  EXPECT_EQ((*ExecutorOf({"--executor", "sync"}))->num_workers(), 1);
  EXPECT_EQ((*ExecutorOf({"--executor", "threads", "3"}))->num_workers(), 3);
  EXPECT_EQ((*ExecutorOf({"--executor=threads,3"}))->num_workers(), 3);
  EXPECT_EQ((*ExecutorOf({"--executor", "threads"}))->num_workers(),
            UsableCores());
  EXPECT_EQ((*ExecutorOf({"--nthreads", "5"}))->num_workers(), 5);
}

TEST(ExecutorOptionsTest, AWordAfterKindThatIsNoValueIsLeftToTheProgram) {
  CLI::App app;
  ExecutorOptions options;
  std::vector<std::string> files;
  AddExecutorOptions(&app, &options);
  app.add_option("files", files);
  Parse(&app, {"--executor", "sync", "a.nc", "b.nc"});
  EXPECT_THAT(files, ElementsAre("a.nc", "b.nc"));
  EXPECT_THAT(options.executor, ElementsAre("sync"));
}

TEST(ExecutorOptionsTest, AnAddressIsAValue) {
  const auto executor = ExecutorOf({"--executor", "distributed", "10.0.0.1:0"});
  // Port 0 is nobody's: the address was looked at.
  EXPECT_EQ(executor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(executor.status().message()),
              HasSubstr("'10.0.0.1:0'"));
}

TEST(ExecutorOptionsTest, ASchedulerComesBeforeALocalCluster) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{
           {"--scheduler", "nowhere"},
           {"--nprocs", "2", "--scheduler", "nowhere"}}) {
    const auto executor = ExecutorOf(words);
    EXPECT_EQ(executor.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(executor.status().message()),
                HasSubstr("'nowhere' is not a scheduler's address"));
  }
}

TEST(ExecutorOptionsTest, ASchedulerFileThatIsNotThereIsAnError) {
  const auto executor = ExecutorOf({"--scheduler-file", "/nonexistent/file"});
  EXPECT_EQ(executor.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(executor.status().message()),
              HasSubstr("'/nonexistent/file'"));
}

TEST(ExecutorOptionsTest, ContradictionsAreErrors) {
  EXPECT_EQ(
      ExecutorOf({"--executor", "sync", "--nthreads", "2"}).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ExecutorOf({"--executor", "threads 2 3"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ExecutorOf({"--executor", " "}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THROW((void)ExecutorOf({"--nthreads", "0"}), CLI::ValidationError);
  EXPECT_THROW((void)ExecutorOf({"--nprocs", "x"}), CLI::ParseError);
}

TEST(ExecutorOptionsTest, OptionsCanComeFromTheEnvironment) {
  CLI::App app;
  ExecutorOptions options;
  AddExecutorOptions(&app, &options);
  SetEnvironmentNames(&app, "INTERNODE_OPTIONS_TEST_");
  ASSERT_EQ(setenv("INTERNODE_OPTIONS_TEST_EXECUTOR", "threads 4", 1), 0);
  Parse(&app, {});
  unsetenv("INTERNODE_OPTIONS_TEST_EXECUTOR");
  const auto executor = MakeExecutor(options);
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_EQ((*executor)->num_workers(), 4);
}

TEST(JobPartOptionsTest, IdsCountFromOneToTheTotal) {
  const auto check = [](std::vector<const char*> words) {
    CLI::App app;
    JobPartOptions options;
    AddJobPartOptions(&app, &options);
    Parse(&app, std::move(words));
    return options.Check();
  };
  EXPECT_EQ(check({}), absl::OkStatus());
  EXPECT_EQ(check({"--job-id", "7", "--job-total", "7"}), absl::OkStatus());
  EXPECT_EQ(check({"--job_id", "1", "--job_total", "7"}), absl::OkStatus());
  EXPECT_FALSE(check({"--job-id", "8", "--job-total", "7"}).ok());
  EXPECT_FALSE(check({"--job-id", "0", "--job-total", "7"}).ok());
  EXPECT_FALSE(check({"--job-total", "0"}).ok());
  EXPECT_FALSE(check({"--job-id", "-1"}).ok());
}

TEST(BoundsOptionsTest, LeftBottomRightTop) {
  CLI::App app;
  BoundsOptions options;
  AddBoundsOption(&app, &options);
  EXPECT_FALSE(options.Get()->has_value());
  Parse(&app, {"--bounds", "-10", "20.5", "-1e0", "30"});
  const auto bounds = options.Get();
  ASSERT_TRUE(bounds.ok() && bounds->has_value());
  EXPECT_EQ((*bounds)->left, -10);
  EXPECT_EQ((*bounds)->bottom, 20.5);
  EXPECT_EQ((*bounds)->right, -1);
  EXPECT_EQ((*bounds)->top, 30);
}

TEST(BoundsOptionsTest, EmptyBoundsAreAnError) {
  BoundsOptions options;
  options.values = {10, 20, 10, 30};
  EXPECT_FALSE(options.Get().ok());
  options.values = {10, 20, 11, 20};
  EXPECT_FALSE(options.Get().ok());
  CLI::App app;
  AddBoundsOption(&app, &options);
  EXPECT_THROW(Parse(&app, {"--bounds", "1", "2", "3"}), CLI::ParseError);
}

TEST(DateFormatOptionsTest, TheDefaultIsIso) {
  CLI::App app;
  DateFormatOptions options;
  AddDateFormatOption(&app, &options);
  EXPECT_EQ(options.format, "%Y-%m-%d");
  EXPECT_EQ(*options.ParseDay("1970-01-01"), 0);
  EXPECT_EQ(*options.ParseDay("2000-01-01"), 10957);
  EXPECT_EQ(*options.ParseDay("1969-12-31"), -1);
  EXPECT_FALSE(options.ParseDay("2000-13-01").ok());
  EXPECT_FALSE(options.ParseDay("yesterday").ok());
  Parse(&app, {"--date-format", "%d.%m.%Y"});
  EXPECT_EQ(*options.ParseDay("02.01.1970"), 1);
}

TEST(NodataOptionsTest, TheDefaultIsThatOfStems) {
  for (const char* name : {"--nodata", "--ndv"}) {
    CLI::App app;
    NodataOptions options;
    AddNodataOption(&app, &options);
    EXPECT_EQ(options.value(), -9999);
    EXPECT_FALSE(options.given.has_value());
    Parse(&app, {name, "-1"});
    EXPECT_EQ(options.value(), -1);
  }
}

TEST(VerbosityOptionsTest, FlagsAreCounted) {
  CLI::App app;
  VerbosityOptions options;
  AddVerbosityOptions(&app, &options);
  Parse(&app, {"-vv", "-q", "-v"});
  EXPECT_EQ(options.verbose, 3);
  EXPECT_EQ(options.quiet, 1);
  EXPECT_EQ(options.level(), 2);
}

}  // namespace
}  // namespace internode::cli
