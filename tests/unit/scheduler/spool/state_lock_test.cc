#include "scheduler/spool/state_lock.h"

#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/memory_file_system.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;

TEST(StateLockTest, ASecondSchedulerIsRefused) {
  testing::MemoryFileSystem files;
  auto first = LockStateDir(&files, "/state");
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = LockStateDir(&files, "/state").status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.message(), HasSubstr("another scheduler uses"));
  EXPECT_THAT(second.message(), HasSubstr("/state"));
  first->reset();
  EXPECT_TRUE(LockStateDir(&files, "/state").ok());
}

TEST(StateLockTest, TheLockOfAProcessThatDiedIsFree) {
  testing::MemoryFileSystem files;
  auto first = LockStateDir(&files, "/state");
  ASSERT_TRUE(first.ok());
  files.Kill();
  EXPECT_TRUE(LockStateDir(&files, "/state").ok());
}

TEST(StateLockTest, AFolderThatCannotBeCreatedIsNamed) {
  testing::MemoryFileSystem files;
  files.Fail(testing::MemoryFileSystem::Call::kCreateFolder,
             FileError(13, "create folder", "/state"));
  const absl::Status status = LockStateDir(&files, "/state").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(),
            "cannot create folder '/state': Permission denied");
}

}  // namespace
}  // namespace internode::scheduler
