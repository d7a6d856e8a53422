#include "cube/row_gather.h"

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "cube/buffer.h"

namespace internode::cube {
namespace {

// Rows `stride` bytes apart. Only their addresses count: nothing is in them.
class RowsApart {
 public:
  RowsApart(size_t count, size_t stride) {
    std::byte* const first = memory_.Reserve(count * stride);
    for (size_t t = 0; t < count; ++t) rows.push_back(first + t * stride);
  }
  bool Help(std::ptrdiff_t high_plane) const {
    return RowGather::Helps({rows, high_plane});
  }

  std::vector<const std::byte*> rows;

 private:
  Buffer memory_;
};

TEST(RowGatherTest, HelpsWhereLinesShareTheirPlaces) {
  // A set of eight lines is full with the low and high bytes of four rows.
  EXPECT_FALSE(RowsApart(8, 4096).Help(0));
  EXPECT_TRUE(RowsApart(9, 4096).Help(0));
  EXPECT_FALSE(RowsApart(4, 4096).Help(1 << 18));
  EXPECT_TRUE(RowsApart(5, 4096).Help(1 << 18));
  for (const size_t side : {32U, 64U, 128U, 256U}) {
    EXPECT_TRUE(RowsApart(128, side * side).Help(1)) << side;
  }
}

TEST(RowGatherTest, DoesNotHelpRowsThatAreSpread) {
  EXPECT_FALSE(RowGather::Helps({{}, 0}));
  for (const size_t side : {5U, 10U, 50U, 100U, 250U}) {
    EXPECT_FALSE(RowsApart(128, side * side).Help(1)) << side;
    // More than a cache holds, wherever they are.
    EXPECT_FALSE(RowsApart(512, side * side).Help(1)) << side;
  }
}

TEST(RowGatherTest, CountsRepeatedRowsOnce) {
  EXPECT_FALSE(RowsApart(128, 0).Help(1));
  RowsApart apart(128, 2500);
  for (size_t t = 0; t < 128; t += 2) apart.rows[t] = apart.rows[0];
  EXPECT_FALSE(apart.Help(1));
}

TEST(RowGatherTest, CopiesTheSameBytesOfAllRows) {
  constexpr size_t kRows = 7;
  constexpr size_t kStride = 300;
  for (const bool planes : {false, true}) {
    const size_t plane = planes ? kRows * kStride : 0;
    Buffer bytes;
    std::byte* const memory = bytes.Reserve(kRows * kStride + plane);
    for (size_t i = 0; i < kRows * kStride + plane; ++i) {
      memory[i] = static_cast<std::byte>(i * 7 + i / 251);
    }
    std::vector<const std::byte*> rows;
    for (size_t t = 0; t < kRows; ++t) rows.push_back(memory + t * kStride);
    RowGather gather;
    for (const size_t count : {1U, 16U, 63U, 64U, 65U, 128U}) {
      for (const size_t at : {0U, 5U, 64U}) {
        const PixelRows got = gather.Gather(
            {rows, static_cast<std::ptrdiff_t>(plane)}, at, count);
        ASSERT_EQ(got.rows.size(), kRows);
        ASSERT_EQ(got.high_plane != 0, planes);
        for (size_t t = 0; t < kRows; ++t) {
          for (size_t i = 0; i < count; ++i) {
            ASSERT_EQ(got.rows[t][i], rows[t][at + i]);
            ASSERT_EQ(*(got.rows[t] + i + got.high_plane),
                      *(rows[t] + at + i + plane));
          }
        }
        EXPECT_FALSE(RowGather::Helps(got));
      }
    }
  }
}

// High bytes that come first lie before the low ones.
TEST(RowGatherTest, FollowsPlanesBackwards) {
  std::vector<std::byte> memory(256);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = std::byte(i);
  const std::vector<const std::byte*> rows = {&memory[128], &memory[192]};
  RowGather gather;
  const PixelRows got = gather.Gather({rows, -128}, 2, 3);
  EXPECT_EQ(got.rows[1][0], std::byte{194});
  EXPECT_EQ(*(got.rows[1] + got.high_plane), std::byte{66});
}

}  // namespace
}  // namespace internode::cube
