#include "scheduler/spool/segment_format.h"

#include <limits>

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

TEST(SegmentFormatTest, ReadsWhatItWrote) {
  for (const SegmentHeader header :
       {SegmentHeader{.job = 42, .segment = 7},
        SegmentHeader{.job = std::numeric_limits<uint64_t>::max(),
        .segment = std::numeric_limits<uint32_t>::max()}}) {
    const std::string bytes = EncodeSegmentHeader(header);
    EXPECT_EQ(bytes.size(), kSegmentHeaderBytes);
    EXPECT_EQ(ParseSegmentHeader(bytes).value(), header);
  }
}

TEST(SegmentFormatTest, TheFormatIsAsDocumented) {
  const std::string bytes = EncodeSegmentHeader({.job = 42, .segment = 7});
  using namespace std::string_literals;
  EXPECT_EQ(bytes.substr(0, 28),
            "\x89INSPOOL\x01\0\0\0\x07\0\0\0\x2a\0\0\0\0\0\0\0\0\0\0\0"s);
}

TEST(SegmentFormatTest, EveryBitThatFlipsAndEveryTruncationIsDetected) {
  const std::string good = EncodeSegmentHeader({.job = 42, .segment = 7});
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(ParseSegmentHeader(bad).status().code(),
              absl::StatusCode::kDataLoss);
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseSegmentHeader(good.substr(0, size)).ok());
  }
}

TEST(SegmentFormatTest, NamesSortAsNumbersAndAreReadBack) {
  EXPECT_EQ(SegmentFileName(1), "00000001.frames");
  EXPECT_EQ(SegmentFileName(4294967295), "4294967295.frames");
  EXPECT_EQ(JobFolderName(42), "0000000042");
  EXPECT_EQ(ParseSegmentFileName("00000001.frames"), 1u);
  EXPECT_EQ(ParseSegmentFileName("4294967295.frames"), 4294967295u);
  EXPECT_EQ(ParseJobFolderName("0000000042"), 42u);
}

TEST(SegmentFormatTest, OtherNamesAreNone) {
  for (const char* name :
       {"", "1.frames", ".frames", "00000001", "probe", "-0000001.frames",
        "4294967296.frames", "00000001.frames~", " 00000001.frames"}) {
    EXPECT_EQ(ParseSegmentFileName(name), std::nullopt) << name;
  }
  for (const char* name : {"", "42", "0000000042.forgotten", "000000004x",
                           "99999999999999999999", "+000000042"}) {
    EXPECT_EQ(ParseJobFolderName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace internode::scheduler
