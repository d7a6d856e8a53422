#include "core/chunk_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <ranges>
#include <vector>

namespace internode::core {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

// Every selection of `grid`, by iterating.
std::vector<Selection> All(const ChunkGrid& grid) {
  std::vector<Selection> all;
  for (const Selection& selection : grid) all.push_back(selection);
  return all;
}

Selection Ranges(std::vector<std::pair<int64_t, int64_t>> ranges) {
  Selection selection;
  for (const auto& [begin, end] : ranges) {
    selection.extents.push_back(Extent::Range(begin, end));
  }
  return selection;
}

std::string MessageOf(const absl::StatusOr<ChunkGrid>& grid) {
  return grid.ok() ? "" : std::string(grid.status().message());
}

TEST(ChunkGridTest, IsARandomAccessRange) {
  static_assert(std::ranges::random_access_range<ChunkGrid>);
  static_assert(std::ranges::sized_range<ChunkGrid>);
  const ChunkGrid grid = *ChunkGrid::Create({{"y", 5}, {"x", 7}}, 2);
  EXPECT_EQ(std::ranges::size(grid), 12u);
  EXPECT_EQ(grid.begin()[5], grid.Chunk(5));
  EXPECT_EQ(*(grid.end() - 1), grid.Chunk(11));
}

TEST(ChunkGridTest, CutsTheLastRangeAtTheDimensionsSize) {
  const ChunkGrid grid = *ChunkGrid::Create({{"y", 5}}, ChunkMapping{{"y", 3}});
  EXPECT_EQ(All(grid),
            (std::vector<Selection>{Ranges({{0, 3}}), Ranges({{3, 5}})}));
}

TEST(ChunkGridTest, LastDimensionVariesFastest) {
  const ChunkGrid grid = *ChunkGrid::Create({{"y", 2}, {"x", 3}}, 2);
  EXPECT_EQ(All(grid), (std::vector<Selection>{Ranges({{0, 2}, {0, 2}}),
                                               Ranges({{0, 2}, {2, 3}})}));
}

TEST(ChunkGridTest, WithoutDimensionsIsOneEmptySelection) {
  for (const ChunkSizes& sizes :
       {ChunkSizes(NoChunks()), ChunkSizes(int64_t{4}),
        ChunkSizes(ChunkMapping())}) {
    const ChunkGrid grid = *ChunkGrid::Create(Dimensions(), sizes);
    EXPECT_EQ(All(grid), std::vector<Selection>{Selection()});
    EXPECT_EQ(grid.num_pixels(), 1);
  }
}

TEST(ChunkGridTest, DimensionOfSizeZeroYieldsNothing) {
  const ChunkGrid grid =
      *ChunkGrid::Create({{"y", kHuge}, {"t", 0}, {"x", kHuge}}, 1);
  EXPECT_EQ(grid.num_chunks(), 0);
  EXPECT_EQ(grid.num_pixels(), 0);
  EXPECT_EQ(grid.max_chunk_pixels(), 0);
  EXPECT_TRUE(All(grid).empty());
}

TEST(ChunkGridTest, HugeGridsCostNothing) {
  const ChunkGrid grid =
      *ChunkGrid::Create({{"y", int64_t{1} << 31}, {"x", int64_t{1} << 31}}, 1);
  EXPECT_EQ(grid.num_chunks(), int64_t{1} << 62);
  const int64_t last = (int64_t{1} << 31) - 1;
  EXPECT_EQ(grid.Chunk(grid.num_chunks() - 1),
            Ranges({{last, last + 1}, {last, last + 1}}));
}

TEST(ChunkGridTest, HugeChunkIsTheWholeDimension) {
  const ChunkGrid grid = *ChunkGrid::Create({{"y", kHuge}}, kHuge);
  EXPECT_EQ(All(grid), std::vector<Selection>{Ranges({{0, kHuge}})});
  const ChunkGrid two = *ChunkGrid::Create({{"y", kHuge}}, kHuge - 1);
  EXPECT_EQ(two.Chunk(1), Ranges({{kHuge - 1, kHuge}}));
}

TEST(ChunkGridTest, RefusesMorePixelsThanCanBeCounted) {
  EXPECT_EQ(MessageOf(ChunkGrid::Create({{"y", kHuge}, {"x", 2}}, 1)),
            "the dimensions have more than 2^63 - 1 pixels together");
}

TEST(ChunkGridTest, RefusesBadSizes) {
  const Dimensions dims = {{"y", 5}, {"x", 7}};
  EXPECT_EQ(MessageOf(ChunkGrid::Create(dims, 0)),
            "chunk size is 0; it must be at least 1");
  EXPECT_EQ(MessageOf(ChunkGrid::Create(dims, ChunkMapping{{"x", -3}})),
            "chunk size of dimension 'x' is -3; it must be at least 1");
  EXPECT_EQ(MessageOf(ChunkGrid::Create(dims, ChunkMapping{{"z", 3}})),
            "chunk size given for 'z', which is not a dimension to cut; there "
            "are y, x (did you mean 'y'?)");
  EXPECT_EQ(
      MessageOf(ChunkGrid::Create(dims, ChunkMapping{{"x", 3}, {"x", 3}})),
      "chunk size of dimension 'x' is given twice");
  EXPECT_EQ(MessageOf(ChunkGrid::Create({{"y", 5}, {"y", 7}}, 1)),
            "dimension 'y' is given twice");
  EXPECT_EQ(MessageOf(ChunkGrid::Create({{"y", -5}}, 1)),
            "dimension 'y' has the negative size -5");
}

TEST(ChunkGridTest, CutsStartAtTheirOrigin) {
  const ChunkGrid grid = *ChunkGrid::Create(
      {{"y", 20}}, {{.begin = 7, .end = 18, .chunk = 5, .origin = 5}});
  EXPECT_EQ(All(grid),
            (std::vector<Selection>{Ranges({{7, 10}}), Ranges({{10, 15}}),
                                    Ranges({{15, 18}})}));
  EXPECT_EQ(grid.num_pixels(), 11);
  EXPECT_EQ(grid.max_chunk_pixels(), 5);
}

TEST(ChunkGridTest, RefusesCutsOutsideTheDimension) {
  const Dimensions dims = {{"y", 20}};
  EXPECT_EQ(MessageOf(ChunkGrid::Create(
                dims, {{.begin = 0, .end = 21, .chunk = 5, .origin = 0}})),
            "range 0:21 of dimension 'y' is not within 0:20");
  EXPECT_EQ(MessageOf(ChunkGrid::Create(
                dims, {{.begin = 8, .end = 5, .chunk = 5, .origin = 5}})),
            "range 8:5 of dimension 'y' is not within 0:20");
  EXPECT_EQ(MessageOf(ChunkGrid::Create(
                dims, {{.begin = 12, .end = 20, .chunk = 5, .origin = 5}})),
            "chunk origin 5 of dimension 'y' is not the last boundary at or "
            "before 12");
  EXPECT_EQ(MessageOf(ChunkGrid::Create(dims, std::vector<DimensionCut>())),
            "a chunk grid of 1 dimensions was given 0 cuts");
}

// A random part of a random dimension.
DimensionCut RandomCut(std::mt19937& random, int64_t size) {
  DimensionCut cut;
  cut.begin = static_cast<int64_t>(random() % static_cast<uint32_t>(size + 1));
  cut.end =
      cut.begin + static_cast<int64_t>(
                      random() % static_cast<uint32_t>(size - cut.begin + 1));
  cut.chunk = 1 + static_cast<int64_t>(random() % 9);
  const int64_t back = static_cast<int64_t>(
      random() % static_cast<uint32_t>(std::min(cut.chunk, cut.begin + 1)));
  cut.origin = cut.begin - back;
  return cut;
}

TEST(ChunkGridTest, EveryPixelOfTheCutsIsInExactlyOneChunk) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    const int64_t ny = static_cast<int64_t>(random() % 20);
    const int64_t nx = static_cast<int64_t>(random() % 20);
    const std::vector<DimensionCut> cuts = {RandomCut(random, ny),
                                            RandomCut(random, nx)};
    const ChunkGrid grid = *ChunkGrid::Create({{"y", ny}, {"x", nx}}, cuts);
    std::vector<int> seen(static_cast<size_t>(ny * nx));
    int64_t pixels = 0;
    int64_t largest = 0;
    for (int64_t i = 0; i < grid.num_chunks(); ++i) {
      const Selection chunk = grid.Chunk(i);
      pixels += chunk.num_pixels();
      largest = std::max(largest, chunk.num_pixels());
      for (int64_t y = chunk.extents[0].begin; y < chunk.extents[0].end; ++y) {
        for (int64_t x = chunk.extents[1].begin; x < chunk.extents[1].end;
             ++x) {
          ++seen[static_cast<size_t>(y * nx + x)];
          ASSERT_EQ(grid.ChunkOf({y, x}), i);
        }
      }
    }
    ASSERT_EQ(pixels, grid.num_pixels());
    ASSERT_EQ(largest, grid.max_chunk_pixels());
    for (int64_t y = 0; y < ny; ++y) {
      for (int64_t x = 0; x < nx; ++x) {
        const bool inside = y >= cuts[0].begin && y < cuts[0].end &&
                            x >= cuts[1].begin && x < cuts[1].end;
        ASSERT_EQ(seen[static_cast<size_t>(y * nx + x)], inside ? 1 : 0);
      }
    }
  }
}

}  // namespace
}  // namespace internode::core
