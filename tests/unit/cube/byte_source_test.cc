#include "cube/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::cube {
namespace {

using ::testing::HasSubstr;

class FileByteSourceTest : public ::testing::Test {
 protected:
  FileByteSourceTest() {
    std::ofstream(path_) << "0123456789";
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    source_ = *FileByteSource::Of(descriptor, path_);
    close(descriptor);
  }
  ~FileByteSourceTest() override { unlink(path_.c_str()); }

  absl::StatusOr<std::string> Read(uint64_t offset, size_t bytes) const {
    std::string text(bytes, '?');
    const absl::Status status = source_->ReadAt(
        offset,
        absl::MakeSpan(reinterpret_cast<std::byte*>(text.data()), text.size()));
    if (!status.ok()) return status;
    return text;
  }

  const std::string path_ = ::testing::TempDir() + "/internode_byte_source_" +
                            std::to_string(getpid());
  std::unique_ptr<FileByteSource> source_;
};

TEST_F(FileByteSourceTest, ReadsAnywhereAfterTheDescriptorIsClosed) {
  EXPECT_EQ(source_->size(), 10);
  EXPECT_EQ(Read(0, 10).value(), "0123456789");
  EXPECT_EQ(Read(7, 3).value(), "789");
  EXPECT_EQ(Read(10, 0).value(), "");
}

TEST_F(FileByteSourceTest, RefusesToReadBeyondTheEnd) {
  for (const uint64_t offset : {uint64_t{8}, uint64_t{11}, UINT64_MAX}) {
    EXPECT_EQ(Read(offset, 3).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_THAT(Read(8, 3).status().message(),
              HasSubstr("has 10 bytes, but 3 are wanted at offset 8"));
}

TEST_F(FileByteSourceTest, NoticesThatTheFileBecameShorter) {
  ASSERT_EQ(truncate(path_.c_str(), 4), 0);
  EXPECT_EQ(Read(0, 4).value(), "0123");
  EXPECT_EQ(Read(0, 8).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Read(2, 8).status().message(), HasSubstr("has become shorter"));
}

TEST_F(FileByteSourceTest, TakesHintsOfWhateverRange) {
  source_->WillRead(0, 4);
  source_->WillRead(5, UINT64_MAX);
  source_->WillRead(UINT64_MAX, UINT64_MAX);
  EXPECT_EQ(Read(3, 4).value(), "3456");
}

TEST_F(FileByteSourceTest, SaysWhatCannotBeRead) {
  EXPECT_EQ(FileByteSource::Of(-1, "x.nc").status().code(),
            absl::StatusCode::kUnavailable);
  const int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto source = FileByteSource::Of(folder, "/");
  close(folder);
  ASSERT_TRUE(source.ok());
  std::array<std::byte, 1> byte;
  EXPECT_THAT((*source)->ReadAt(0, absl::MakeSpan(byte)).ToString(),
              HasSubstr("cannot read '/'"));
}

}  // namespace
}  // namespace internode::cube
