#include "scheduler/announcement.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

TEST(AnnouncementTest, IsOneLineOfJson) {
  const std::string line =
      FormatAnnouncement("127.0.0.1:41234", "http://127.0.0.1:8787");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["address"], "127.0.0.1:41234");
  EXPECT_EQ(json["http"], "http://127.0.0.1:8787");
  EXPECT_EQ(json["pid"], getpid());
}

TEST(AnnouncementTest, TheDescriptorIsClosedAfterTheLine) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  ASSERT_TRUE(WriteAndClose(ends[1], "line\n").ok());
  std::array<char, 16> bytes{};
  EXPECT_EQ(read(ends[0], bytes.data(), bytes.size()), 5);
  EXPECT_EQ(read(ends[0], bytes.data(), bytes.size()), 0);
  close(ends[0]);
  EXPECT_FALSE(WriteAndClose(-1, "line\n").ok());
}

TEST(AnnouncementTest, TheFileIsThereAsLongAsItsOwner) {
  const std::string path = ::testing::TempDir() + "/scheduler.json";
  {
    SchedulerFile file;
    ASSERT_TRUE(file.Write(path, "old\n").ok());
    ASSERT_TRUE(file.Write(path, "line\n").ok());
    std::string line;
    std::ifstream(path) >> line;
    EXPECT_EQ(line, "line");
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  SchedulerFile nowhere;
  EXPECT_FALSE(nowhere.Write("/nowhere/file", "line\n").ok());
}

}  // namespace
}  // namespace internode::scheduler
