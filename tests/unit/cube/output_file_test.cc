#include "cube/output_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/cube/segment_testutil.h"

namespace internode::cube {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() {
    std::string pattern = ::testing::TempDir() + "output_file_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~OutputFileTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  // The status of creating `path`.
  static absl::Status Create(const std::string& path, bool overwrite = false) {
    return OutputFile::Create(path, overwrite).status();
  }

  std::string folder_;
};

TEST_F(OutputFileTest, IsThereAfterCommitAndNotBefore) {
  auto file = *OutputFile::Create(Path("a"), false);
  file->WriteAt(3, "def", 3);
  file->WriteAt(0, "abc", 3);
  EXPECT_FALSE(fs::exists(Path("a")));
  ASSERT_EQ(file->Commit(), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a")), "abcdef");
  EXPECT_FALSE(fs::exists(Path("a.partial")));
}

TEST_F(OutputFileTest, ReadsZerosBeyondItsEnd) {
  auto file = *OutputFile::Create(Path("a"), false);
  file->WriteAt(0, "ab", 2);
  std::string got(4, 'x');
  file->ReadAt(1, got.data(), got.size());
  EXPECT_EQ(got, std::string("b\0\0\0", 4));
}

TEST_F(OutputFileTest, RefusesAFileThatExistsUnlessToldToReplaceIt) {
  std::ofstream(Path("a")) << "old";
  const absl::Status status = Create(Path("a"));
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(status.message(), HasSubstr("exists already"));
  auto file = *OutputFile::Create(Path("a"), true);
  file->WriteAt(0, "new", 3);
  EXPECT_EQ(ReadBytes(Path("a")), "old");
  ASSERT_EQ(file->Commit(), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a")), "new");
}

TEST_F(OutputFileTest, DoesNotReplaceAFileThatAppearedMeanwhile) {
  auto file = *OutputFile::Create(Path("a"), false);
  std::ofstream(Path("a")) << "other";
  EXPECT_EQ(file->Commit().code(), StatusCode::kAlreadyExists);
  file.reset();
  EXPECT_EQ(ReadBytes(Path("a")), "other");
  EXPECT_FALSE(fs::exists(Path("a.partial")));
}

TEST_F(OutputFileTest, SaysWhatIsWrongWithThePath) {
  EXPECT_THAT(Create("").message(), HasSubstr("empty"));
  EXPECT_THAT(Create(Path("no/a")).message(),
              HasSubstr("there is no folder '" + Path("no") + "'"));
  std::ofstream(Path("file")) << "";
  EXPECT_THAT(Create(Path("file/a")).message(), HasSubstr("is not a folder"));
  EXPECT_THAT(Create(folder_, true).message(), HasSubstr("it is a folder"));
  EXPECT_THAT(Create("/dev/null", true).message(),
              HasSubstr("not a regular file"));
  EXPECT_EQ(Create(Path(std::string(300, 'n'))).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(OutputFileTest, AFolderThatMayNotBeWrittenIsAnError) {
  // Root may write everywhere, but nobody in /proc.
  const absl::Status status = Create("/proc/a");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("cannot write '/proc/a'"));
  if (geteuid() == 0) return;
  chmod(folder_.c_str(), 0555);
  EXPECT_EQ(Create(Path("a")).code(), StatusCode::kFailedPrecondition);
  chmod(folder_.c_str(), 0755);
}

TEST_F(OutputFileTest, ReplacesWhatADeadRunLeft) {
  std::ofstream(Path("a.partial")) << "a long rest of a dead run";
  auto file = *OutputFile::Create(Path("a"), false);
  file->WriteAt(0, "new", 3);
  ASSERT_EQ(file->Commit(), absl::OkStatus());
  EXPECT_EQ(ReadBytes(Path("a")), "new");
}

TEST_F(OutputFileTest, RefusesASecondRunToTheSamePath) {
  auto file = *OutputFile::Create(Path("a"), false);
  file->WriteAt(0, "first", 5);
  const absl::Status status = Create(Path("a"));
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("another run is writing"));
  ASSERT_EQ(file->Commit(), absl::OkStatus());
  file.reset();
  EXPECT_EQ(ReadBytes(Path("a")), "first");
  EXPECT_EQ(Create(Path("a"), true), absl::OkStatus());
}

// A file of at most `bytes` bytes can be written, as on a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_;
};

TEST_F(OutputFileTest, AWriteThatFailsIsRememberedUntilCommit) {
  auto file = *OutputFile::Create(Path("a"), false);
  const FileSizeLimit limit(1000);
  file->WriteAt(0, std::string(900, 'x').data(), 900);
  EXPECT_EQ(file->status(), absl::OkStatus());
  file->WriteAt(900, std::string(900, 'x').data(), 900);
  EXPECT_EQ(file->status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(file->Commit().code(), StatusCode::kResourceExhausted);
  file.reset();
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(OutputFileTest, ASegmentFileOnAFullDiskIsOneClearError) {
  const SegmentFileSpec spec = GridSpec(100, 100, 10);
  // Wherever the disk is full: at the start, in the columns, in the index.
  ASSERT_EQ(WriteSegments(Path("good.nc"), spec, 10), absl::OkStatus());
  const rlim_t size = fs::file_size(Path("good.nc"));
  fs::remove(Path("good.nc"));
  for (rlim_t limit = 0; limit < size; limit += size / 40) {
    const FileSizeLimit full(limit);
    const absl::Status status = WriteSegments(Path("a.nc"), spec, 10);
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << limit;
    EXPECT_THAT(status.message(),
                HasSubstr("cannot write '" + Path("a.nc") + "': "));
    EXPECT_TRUE(fs::is_empty(folder_));
  }
  EXPECT_EQ(WriteSegments(Path("a.nc"), spec, 10), absl::OkStatus());
}

}  // namespace
}  // namespace internode::cube
