#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "scheduler/spool/file_system.h"

namespace internode::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosixFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "/posixXXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  void Write(const std::string& name, const std::string& bytes) {
    auto file = files_->Create(Path(name)).value();
    EXPECT_EQ(file->Append(bytes).value(), static_cast<int64_t>(bytes.size()));
  }

  std::string Read(const std::string& name, int64_t offset, int64_t size) {
    std::string bytes(static_cast<size_t>(size), '?');
    const auto file = files_->Open(Path(name)).value();
    const int64_t got = file->ReadAt(offset, size, bytes.data()).value();
    return bytes.substr(0, static_cast<size_t>(got));
  }

  FileSystem* const files_ = PosixFileSystem();
  std::string folder_;
};

TEST_F(PosixFileSystemTest, AppendsAndReads) {
  auto file = files_->Create(Path("a")).value();
  EXPECT_EQ(file->Append("hello ").value(), 6);
  EXPECT_EQ(file->Append("world").value(), 5);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Read("a", 0, 100), "hello world");
  EXPECT_EQ(Read("a", 6, 3), "wor");
  EXPECT_EQ(Read("a", 100, 3), "");
  EXPECT_EQ(files_->Size(Path("a")).value(), 11);
}

TEST_F(PosixFileSystemTest, AppendsFollowATruncation) {
  auto file = files_->Create(Path("a")).value();
  ASSERT_TRUE(file->Append("hello world").ok());
  ASSERT_TRUE(file->Truncate(5).ok());
  ASSERT_TRUE(file->Append("!").ok());
  EXPECT_EQ(Read("a", 0, 100), "hello!");
  ASSERT_TRUE(files_->Truncate(Path("a"), 2).ok());
  EXPECT_EQ(Read("a", 0, 100), "he");
  EXPECT_TRUE(files_->Sync(Path("a")).ok());
}

TEST_F(PosixFileSystemTest, NamesComeAndGo) {
  ASSERT_TRUE(files_->CreateFolder(Path("f")).ok());
  EXPECT_EQ(files_->CreateFolder(Path("f")).code(),
            absl::StatusCode::kAlreadyExists);
  Write("f/b", "1");
  Write("f/a", "2");
  EXPECT_EQ(files_->Create(Path("f/a")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(files_->List(Path("f")).value(), ElementsAre("a", "b"));
  EXPECT_TRUE(files_->SyncFolder(Path("f")).ok());
  ASSERT_TRUE(files_->Rename(Path("f"), Path("g")).ok());
  EXPECT_EQ(files_->List(Path("f")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(files_->RemoveFolder(Path("g")).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(files_->Remove(Path("g/a")).ok());
  EXPECT_TRUE(files_->Remove(Path("g/b")).ok());
  EXPECT_TRUE(files_->RemoveFolder(Path("g")).ok());
  EXPECT_TRUE(files_->List(folder_).value().empty());
}

TEST_F(PosixFileSystemTest, FilesAreTheOwnersAlone) {
  Write("a", "1");
  ASSERT_TRUE(files_->CreateFolder(Path("f")).ok());
  using std::filesystem::perms;
  const perms others = perms::group_all | perms::others_all;
  for (const char* name : {"a", "f"}) {
    EXPECT_EQ(std::filesystem::status(Path(name)).permissions() & others,
              perms::none);
  }
}

TEST_F(PosixFileSystemTest, WhatIsMissingIsNamed) {
  const std::string path = Path("nothing");
  const auto expect_missing = [&](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(status.message(), HasSubstr("'" + path + "'"));
  };
  expect_missing(files_->Open(path).status());
  expect_missing(files_->Size(path).status());
  expect_missing(files_->Truncate(path, 0));
  expect_missing(files_->Sync(path));
  expect_missing(files_->Remove(path));
  expect_missing(files_->Rename(path, Path("x")));
  expect_missing(files_->RemoveFolder(path));
  expect_missing(files_->List(path).status());
  expect_missing(files_->SyncFolder(path));
  expect_missing(files_->FreeBytes(path).status());
}

TEST_F(PosixFileSystemTest, AFolderHasRoom) {
  EXPECT_GT(files_->FreeBytes(folder_).value(), 0);
}

TEST_F(PosixFileSystemTest, ALockExcludesAllOthers) {
  auto lock = files_->Lock(Path("lock"));
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(files_->Lock(Path("lock")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  lock->reset();
  EXPECT_TRUE(files_->Lock(Path("lock")).ok());
}

TEST(FileErrorTest, CodesSayWhatToDo) {
  EXPECT_EQ(FileError(ENOSPC, "write", "/a"),
            absl::ResourceExhaustedError(
                "cannot write '/a': No space left on device"));
  EXPECT_EQ(FileError(EDQUOT, "", "").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FileError(ENOENT, "", "").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FileError(EROFS, "", "").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FileError(EIO, "", "").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace internode::scheduler
