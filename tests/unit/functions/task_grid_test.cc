#include "functions/task_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using core::Extent;
using ::testing::ElementsAre;

const core::Dimensions kDims = {{"y", 3}, {"x", 5}};

absl::StatusOr<std::vector<Extent>> Select(
    const std::vector<core::DimensionRange>& select) {
  return SelectRanges(kDims, {"time"}, select);
}

std::string SelectError(const std::vector<core::DimensionRange>& select) {
  return std::string(Select(select).status().message());
}

absl::StatusOr<core::ChunkGrid> Grid(const core::ChunkChoice& chunks,
                                     std::vector<Extent> ranges) {
  core::BlockRequest request;
  request.series = {{"blue", -1}};
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  return MakeTaskGrid(TestCube(), request, kDims, ranges, chunks);
}

TEST(SelectRangesTest, TakesTheWholeWhereNothingIsSelected) {
  const auto ranges = Select({{"x", 2, 4}});
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  EXPECT_THAT(*ranges, ElementsAre(Extent::Range(0, 3), Extent::Range(2, 4)));
}

TEST(SelectRangesTest, AnOpenEndIsTheSize) {
  const auto ranges = Select({{"y", 2, -1}});
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  EXPECT_EQ((*ranges)[0], Extent::Range(2, 3));
}

TEST(SelectRangesTest, AnEmptyDimensionSelectsNothing) {
  const auto ranges = SelectRanges({{"y", 0}}, {"time"}, {});
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  EXPECT_EQ((*ranges)[0], Extent::Range(0, 0));
}

TEST(SelectRangesTest, RefusesWhatIsNotThere) {
  EXPECT_EQ(SelectError({{"z", 0, 1}}),
            "selection of 'z', which is not a non-core dimension; there are "
            "y, x (did you mean 'y'?)");
  EXPECT_EQ(SelectError({{"time", 0, 1}}),
            "dimension 'time' is a core dimension, which is always whole; a "
            "selection can be of y, x");
  EXPECT_EQ(SelectError({{"x", 0, 1}, {"x", 1, 2}}),
            "dimension 'x' is selected from twice");
  EXPECT_EQ(SelectError({{"x", 1, 6}}),
            "selection x=1:6 is not within 0:5, the range of dimension 'x'");
  EXPECT_EQ(SelectError({{"x", 7, -1}}),
            "selection x=7: is not within 0:5, the range of dimension 'x'");
  EXPECT_EQ(SelectError({{"x", -2, 3}}),
            "selection x=-2:3 is not within 0:5, the range of dimension 'x'");
  EXPECT_EQ(SelectError({{"x", 3, -2}}),
            "selection x=3:-2 is not within 0:5, the range of dimension 'x'");
  EXPECT_EQ(SelectError({{"x", 3, 2}}),
            "selection x=3:2 is empty; dimension 'x' has 0:5");
  EXPECT_EQ(SelectError({{"x", 5, -1}}),
            "selection x=5: is empty; dimension 'x' has 0:5");
}

TEST(MakeTaskGridTest, FixedSizesCountFromTheSelection) {
  const auto grid =
      Grid(int64_t{2}, {Extent::Range(1, 3), Extent::Range(1, 5)});
  ASSERT_TRUE(grid.ok()) << grid.status();
  ASSERT_EQ(grid->num_chunks(), 2);
  EXPECT_EQ(grid->Chunk(0).extents[0], Extent::Range(1, 3));
  EXPECT_EQ(grid->Chunk(0).extents[1], Extent::Range(1, 3));
  EXPECT_EQ(grid->Chunk(1).extents[1], Extent::Range(3, 5));
}

TEST(MakeTaskGridTest, AMappingGivesOtherDimensionsSizeOne) {
  const auto grid = Grid(core::ChunkMapping{{"x", 5}},
                         {Extent::Range(0, 3), Extent::Range(0, 5)});
  ASSERT_TRUE(grid.ok()) << grid.status();
  EXPECT_EQ(grid->num_chunks(), 3);
}

TEST(MakeTaskGridTest, NoChunksMakeAPixelATask) {
  const auto grid =
      Grid(core::NoChunks(), {Extent::Range(1, 3), Extent::Range(0, 5)});
  ASSERT_TRUE(grid.ok()) << grid.status();
  EXPECT_EQ(grid->num_chunks(), 10);
  EXPECT_EQ(grid->max_chunk_pixels(), 1);
}

TEST(MakeTaskGridTest, AutomaticChunksCoverTheSelection) {
  const auto grid =
      Grid(core::AutoChunks(), {Extent::Range(1, 3), Extent::Range(2, 5)});
  ASSERT_TRUE(grid.ok()) << grid.status();
  EXPECT_EQ(grid->num_pixels(), 6);
}

TEST(MakeTaskGridTest, RefusesBadSizes) {
  const std::vector<Extent> all = {Extent::Range(0, 3), Extent::Range(0, 5)};
  EXPECT_EQ(Grid(int64_t{-1}, all).status().message(),
            "chunk size is -1; it must be at least 1");
  EXPECT_EQ(Grid(core::ChunkMapping{{"z", 1}}, all).status().message(),
            "chunk size given for 'z', which is not a dimension to cut; there "
            "are y, x (did you mean 'y'?)");
}

core::Selection Extents(Extent y, Extent x) {
  core::Selection selection;
  selection.extents = {y, x};
  return selection;
}

TEST(CheckSelectionsTest, TakesWhatLiesWithinTheDimensions) {
  EXPECT_TRUE(
      CheckSelections(kDims, {Extents(Extent::Range(0, 3), Extent::Range(0, 5)),
                              Extents(Extent::Index(2), Extent::Index(4))})
          .ok());
  EXPECT_TRUE(CheckSelections(kDims, {}).ok());
}

TEST(CheckSelectionsTest, RefusesWhatDoesNot) {
  const core::Selection good = Extents(Extent::Index(0), Extent::Index(0));
  core::Selection short_one;
  short_one.extents = {Extent::Index(0)};
  for (const core::Selection& bad :
       {Extents(Extent::Range(0, 4), Extent::Index(0)),
        Extents(Extent::Range(-1, 2), Extent::Index(0)),
        Extents(Extent::Range(2, 2), Extent::Index(0)),
        Extents(Extent{0, 2, true}, Extent::Index(0)), short_one,
        core::Selection()}) {
    EXPECT_EQ(CheckSelections(kDims, {good, bad}).message(),
              "selection 1 is not within the cube's non-core dimensions: "
              "y=0:3, x=0:5");
  }
}

TEST(CheckSelectionsTest, RefusesTooManyPixels) {
  const int64_t huge = int64_t{1} << 62;
  const core::Dimensions dims = {{"y", huge}, {"x", huge}};
  EXPECT_FALSE(CheckSelections(
                   dims, {Extents(Extent::Range(0, huge), Extent::Range(0, 3))})
                   .ok());
  const core::Selection half =
      Extents(Extent::Range(0, huge), Extent::Index(0));
  EXPECT_TRUE(CheckSelections(dims, {half}).ok());
  EXPECT_FALSE(CheckSelections(dims, {half, half}).ok());
}

}  // namespace
}  // namespace internode::functions
