#include "scheduler/spool/segment_scan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/memory_file_system.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = SpoolDamage::Kind;

constexpr char kPath[] = "/00000001.frames";
constexpr SegmentHeader kHeader = {.job = 3, .segment = 1};

class SegmentScanTest : public ::testing::Test {
 protected:
  SegmentScanTest() {
    bytes_ = EncodeSegmentHeader(kHeader);
    for (const internode::core::Interval tasks :
         {internode::core::Interval{0, 9}, internode::core::Interval{40, 41},
          internode::core::Interval{9, 30}}) {
      offsets_.push_back(static_cast<int64_t>(bytes_.size()));
      bytes_ += MakeFrame(tasks);
    }
  }

  void Scan(const std::string& bytes) {
    files_.SetContents(kPath, bytes);
    found_.clear();
    damages_.clear();
    ScanSegment(
        &files_, kPath, kHeader,
        [this](const internode::core::FrameHeader& header, int64_t offset) {
          EXPECT_TRUE(
              IsRight(absl::string_view(files_.Contents(kPath))
                          .substr(static_cast<size_t>(offset),
                                  static_cast<size_t>(header.frame_bytes()))));
          found_.push_back(offset);
        },
        [this](const SpoolDamage& damage) { damages_.push_back(damage); });
  }

  testing::MemoryFileSystem files_;
  std::string bytes_;
  // Of the frames.
  std::vector<int64_t> offsets_;
  std::vector<int64_t> found_;
  std::vector<SpoolDamage> damages_;
};

TEST_F(SegmentScanTest, FindsAllFrames) {
  Scan(bytes_);
  EXPECT_EQ(found_, offsets_);
  EXPECT_THAT(damages_, IsEmpty());
}

TEST_F(SegmentScanTest, FindsFramesLargerThanItsBuffer) {
  bytes_ += MakeFrame({100, 60000});
  bytes_ += MakeFrame({60000, 60001});
  Scan(bytes_);
  EXPECT_EQ(found_.size(), 5u);
  EXPECT_THAT(damages_, IsEmpty());
}

TEST_F(SegmentScanTest, CutAnywhereItFindsWhatIsWhole) {
  offsets_.push_back(static_cast<int64_t>(bytes_.size()));
  for (size_t size = 0; size < bytes_.size(); ++size) {
    Scan(bytes_.substr(0, size));
    std::vector<int64_t> whole;
    int64_t end = 0;
    for (size_t i = 0; i + 1 < offsets_.size(); ++i) {
      if (offsets_[i] <= static_cast<int64_t>(size)) end = offsets_[i];
      if (offsets_[i + 1] <= static_cast<int64_t>(size)) {
        whole.push_back(offsets_[i]);
      }
    }
    ASSERT_EQ(found_, whole) << size;
    if (end == static_cast<int64_t>(size)) {
      ASSERT_THAT(damages_, IsEmpty()) << size;
      continue;
    }
    ASSERT_EQ(damages_.size(), 1u) << size;
    EXPECT_EQ(damages_[0].kind, Kind::kTornTail);
    EXPECT_EQ(damages_[0].offset, end);
    EXPECT_EQ(damages_[0].bytes, static_cast<int64_t>(size) - end);
  }
}

TEST_F(SegmentScanTest, WithAnyBitFlippedItFindsNothingWrong) {
  for (size_t bit = 0; bit < bytes_.size() * 8; ++bit) {
    std::string bad = bytes_;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    Scan(bad);
    ASSERT_LT(found_.size(), offsets_.size()) << bit;
    ASSERT_EQ(damages_.size(), 1u) << bit;
    ASSERT_NE(damages_[0].kind, Kind::kTornTail) << bit;
  }
}

TEST_F(SegmentScanTest, AFrameThatChangedIsLostAlone) {
  bytes_[static_cast<size_t>(offsets_[1]) + 60] ^= 1;
  Scan(bytes_);
  EXPECT_THAT(found_, ElementsAre(offsets_[0], offsets_[2]));
  ASSERT_EQ(damages_.size(), 1u);
  EXPECT_EQ(damages_[0].kind, Kind::kFrame);
  EXPECT_EQ(damages_[0].offset, offsets_[1]);
  EXPECT_EQ(damages_[0].bytes, offsets_[2] - offsets_[1]);
  EXPECT_THAT(damages_[0].ToString(),
              HasSubstr("the checksum of the frame of tasks [40, 41)"));
}

TEST_F(SegmentScanTest, AfterAHeaderThatChangedAllIsLost) {
  bytes_[static_cast<size_t>(offsets_[1]) + 9] ^= 1;
  Scan(bytes_);
  EXPECT_THAT(found_, ElementsAre(offsets_[0]));
  ASSERT_EQ(damages_.size(), 1u);
  EXPECT_EQ(damages_[0].kind, Kind::kRest);
  EXPECT_EQ(damages_[0].bytes,
            static_cast<int64_t>(bytes_.size()) - offsets_[1]);
}

TEST_F(SegmentScanTest, ZerosAtTheEndAreATornTail) {
  const auto size = static_cast<int64_t>(bytes_.size());
  Scan(bytes_ + std::string(1 << 20, '\0'));
  EXPECT_EQ(found_, offsets_);
  ASSERT_EQ(damages_.size(), 1u);
  EXPECT_EQ(damages_[0].kind, Kind::kTornTail);
  EXPECT_EQ(damages_[0].offset, size);
}

TEST_F(SegmentScanTest, AFileOfAnotherJobOrPlaceIsNotRead) {
  for (const SegmentHeader other : {SegmentHeader{.job = 4, .segment = 1},
                                    SegmentHeader{.job = 3, .segment = 2}}) {
    Scan(EncodeSegmentHeader(other) + bytes_.substr(kSegmentHeaderBytes));
    EXPECT_THAT(found_, IsEmpty());
    ASSERT_EQ(damages_.size(), 1u);
    EXPECT_EQ(damages_[0].kind, Kind::kRest);
    EXPECT_EQ(damages_[0].offset, 0);
  }
}

TEST_F(SegmentScanTest, AFileThatCannotBeReadIsDamage) {
  using Call = testing::MemoryFileSystem::Call;
  for (const Call call : {Call::kOpen, Call::kSize, Call::kRead}) {
    files_.Fail(call, FileError(5, "read", kPath));
    Scan(bytes_);
    EXPECT_THAT(found_, IsEmpty());
    ASSERT_EQ(damages_.size(), 1u);
    EXPECT_EQ(damages_[0].kind, Kind::kRest);
    EXPECT_THAT(damages_[0].reason, HasSubstr("Input/output error"));
  }
}

}  // namespace
}  // namespace internode::scheduler
