#include "security/private_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace internode::security {
namespace {

class PrivateFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(
        ::testing::TempDir(), "/private_file_", getpid(), "_",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(MakePrivateFolder(folder_).ok());
  }
  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  static mode_t Mode(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  std::string folder_;
};

TEST_F(PrivateFileTest, WhatIsWrittenIsReadByTheOwnerAlone) {
  ASSERT_TRUE(WritePrivateFile(Path("f"), "one").ok());
  EXPECT_EQ(ReadSmallFile(Path("f")).value(), "one");
  EXPECT_EQ(Mode(Path("f")), 0600u);
  EXPECT_EQ(Mode(folder_), 0700u);
  ASSERT_TRUE(WritePrivateFile(Path("f"), "").ok());
  EXPECT_EQ(ReadSmallFile(Path("f")).value(), "");
}

TEST_F(PrivateFileTest, ANewOneDoesNotReplace) {
  ASSERT_TRUE(WriteNewPrivateFile(Path("n"), "one").ok());
  EXPECT_EQ(WriteNewPrivateFile(Path("n"), "two").code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadSmallFile(Path("n")).value(), "one");
}

TEST_F(PrivateFileTest, WhatIsNoSmallFileIsRefused) {
  EXPECT_EQ(ReadSmallFile(Path("none")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSmallFile(folder_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSmallFile("/dev/zero").status().code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(Path("fifo")).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::ofstream(Path("large")) << std::string((1 << 20) + 1, 'x');
  EXPECT_EQ(ReadSmallFile(Path("large")).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(PrivateFileTest, NowhereToWrite) {
  EXPECT_EQ(WritePrivateFile("/nowhere/f", "x").code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(MakePrivateFolder("/nowhere/f").ok());
  ASSERT_TRUE(WritePrivateFile(Path("file"), "x").ok());
  EXPECT_FALSE(MakePrivateFolder(Path("file")).ok());
}

TEST_F(PrivateFileTest, ChangesAreMadeOneAfterTheOther) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int k = 0; k < 20; ++k) {
        EXPECT_TRUE(ChangePrivateFile(Path("c"), [](std::string* content) {
                      content->push_back('x');
                      return absl::OkStatus();
                    }).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadSmallFile(Path("c"))->size(), 160u);
}

TEST_F(PrivateFileTest, AChangeThatFailsChangesNothing) {
  ASSERT_TRUE(WritePrivateFile(Path("c"), "one").ok());
  EXPECT_EQ(ChangePrivateFile(Path("c"),
                              [](std::string* content) {
                                *content = "two";
                                return absl::NotFoundError("");
                              })
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSmallFile(Path("c")).value(), "one");
}

}  // namespace
}  // namespace internode::security
