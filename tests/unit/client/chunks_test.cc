#include "internode/chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace internode {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Extent Range(int64_t begin, int64_t end) { return {begin, end, false}; }
Extent Index(int64_t i) { return {i, i + 1, true}; }

std::vector<Selection> All(const absl::StatusOr<Chunks>& chunks) {
  EXPECT_TRUE(chunks.ok()) << chunks.status();
  std::vector<Selection> all;
  if (chunks.ok()) {
    for (const Selection& selection : *chunks) all.push_back(selection);
  }
  return all;
}

TEST(IterChunksTest, WithoutChunkSizesEveryElementOnceByIndex) {
  EXPECT_EQ(All(IterChunks({{"y", 2}, {"x", 2}})),
            (std::vector<Selection>{{Index(0), Index(0)},
                                    {Index(0), Index(1)},
                                    {Index(1), Index(0)},
                                    {Index(1), Index(1)}}));
}

TEST(IterChunksTest, AnIntegerCutsEveryDimensionAndTheLastRangeIsShorter) {
  EXPECT_EQ(All(IterChunks({{"y", 3}, {"x", 2}}, 2)),
            (std::vector<Selection>{{Range(0, 2), Range(0, 2)},
                                    {Range(2, 3), Range(0, 2)}}));
}

TEST(IterChunksTest, ADimensionThatTheMappingLacksGetsRangesOfSizeOne) {
  EXPECT_EQ(All(IterChunks({{"y", 3}, {"x", 2}}, ChunkMapping{{"y", 3}})),
            (std::vector<Selection>{{Range(0, 3), Range(0, 1)},
                                    {Range(0, 3), Range(1, 2)}}));
}

TEST(IterChunksTest, ADimensionOfSizeZeroYieldsNothing) {
  EXPECT_TRUE(All(IterChunks({{"y", 0}, {"x", 5}}, 2)).empty());
  EXPECT_TRUE(All(IterChunks({{"y", 5}, {"x", 0}})).empty());
}

TEST(IterChunksTest, NoDimensionsYieldOneEmptySelection) {
  EXPECT_EQ(All(IterChunks({})), std::vector<Selection>{{}});
  EXPECT_EQ(All(IterChunks({}, 3)), std::vector<Selection>{{}});
}

TEST(IterChunksTest, BadSizesAreErrorsThatNameTheDimension) {
  for (const int64_t size : {int64_t{0}, int64_t{-2}}) {
    const auto chunks = IterChunks({{"y", 3}}, ChunkMapping{{"y", size}});
    EXPECT_EQ(chunks.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(chunks.status().message()), HasSubstr("'y'"));
    EXPECT_FALSE(IterChunks({{"y", 3}}, size).ok());
  }
  const auto unknown = IterChunks({{"y", 3}}, ChunkMapping{{"yy", 1}});
  EXPECT_THAT(std::string(unknown.status().message()),
              AllOf(HasSubstr("'yy'"), HasSubstr("did you mean 'y'?")));
}

TEST(IterChunksTest, ABillionSelectionsTakeNoTime) {
  const auto chunks = IterChunks({{"y", 40000}, {"x", 40000}});
  ASSERT_TRUE(chunks.ok());
  EXPECT_EQ(chunks->size(), int64_t{1600000000});
  EXPECT_EQ((*chunks)[chunks->size() - 1],
            (Selection{Index(39999), Index(39999)}));
  EXPECT_EQ(chunks->end() - chunks->begin(), chunks->size());
}

TEST(IterNoncoreChunksTest, CutsWhatIsNotCoreInTheDatasOrder) {
  const std::vector<Dimension> dims = {
      {"x", 2}, {"time", 9}, {"y", 1}, {"band", 7}};
  const auto chunks = IterNoncoreChunks(
      dims, std::vector<std::string>{"band", "time"}, ChunkMapping{{"x", 2}});
  EXPECT_EQ(All(chunks), std::vector<Selection>({{Range(0, 2), Range(0, 1)}}));
  EXPECT_EQ(chunks->dims(), (std::vector<Dimension>{{"x", 2}, {"y", 1}}));
}

TEST(IterNoncoreChunksTest, OneCoreDimensionIsAWholeNameNotASubstring) {
  const auto chunks = IterNoncoreChunks({{"time", 9}, {"t", 3}}, "time");
  EXPECT_EQ(All(chunks),
            (std::vector<Selection>{{Index(0)}, {Index(1)}, {Index(2)}}));
}

TEST(IterNoncoreChunksTest, AnEmptyListMakesEveryDimensionNonCore) {
  const auto chunks =
      IterNoncoreChunks({{"time", 2}, {"y", 2}}, std::vector<std::string>{}, 2);
  EXPECT_EQ(All(chunks), std::vector<Selection>({{Range(0, 2), Range(0, 2)}}));
}

TEST(IterNoncoreChunksTest, ACoreDimensionThatTheDataLacksIsAnError) {
  const auto chunks = IterNoncoreChunks({{"time", 2}, {"y", 2}}, "tim");
  EXPECT_EQ(chunks.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(chunks.status().message()),
              AllOf(HasSubstr("'tim'"), HasSubstr("did you mean 'time'?")));
}

}  // namespace
}  // namespace internode
