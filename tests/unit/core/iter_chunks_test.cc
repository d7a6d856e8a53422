#include "core/iter_chunks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace internode::core {
namespace {

std::vector<Selection> Selections(const ChunkGrid& grid) {
  return std::vector<Selection>(grid.begin(), grid.end());
}

Selection Of(std::initializer_list<Extent> extents) {
  Selection selection;
  for (const Extent& extent : extents) selection.extents.push_back(extent);
  return selection;
}

TEST(IterChunksTest, WithoutChunkSizesYieldsEachElementAsAnIndex) {
  EXPECT_EQ(Selections(*IterChunks({{"y", 2}, {"x", 2}})),
            (std::vector<Selection>{Of({Extent::Index(0), Extent::Index(0)}),
                                    Of({Extent::Index(0), Extent::Index(1)}),
                                    Of({Extent::Index(1), Extent::Index(0)}),
                                    Of({Extent::Index(1), Extent::Index(1)})}));
}

TEST(IterChunksTest, AnIntegerCutsEveryDimension) {
  EXPECT_EQ(
      Selections(*IterChunks({{"y", 3}, {"x", 2}}, 2)),
      (std::vector<Selection>{Of({Extent::Range(0, 2), Extent::Range(0, 2)}),
                              Of({Extent::Range(2, 3), Extent::Range(0, 2)})}));
}

TEST(IterChunksTest, ADimensionThatTheMappingLacksIsARangeOfSizeOne) {
  EXPECT_EQ(
      Selections(*IterChunks({{"y", 2}, {"x", 2}}, ChunkMapping{{"y", 2}})),
      (std::vector<Selection>{Of({Extent::Range(0, 2), Extent::Range(0, 1)}),
                              Of({Extent::Range(0, 2), Extent::Range(1, 2)})}));
}

TEST(IterNoncoreChunksTest, LeavesOutTheCoreDimensionsInTheDatasOrder) {
  const Dimensions dims = {{"band", 3}, {"y", 2}, {"time", 9}, {"x", 1}};
  const ChunkGrid grid = *IterNoncoreChunks(dims, {"time", "band"}, 2);
  EXPECT_EQ(grid.dims(), (Dimensions{{"y", 2}, {"x", 1}}));
  EXPECT_EQ(grid.num_chunks(), 1);
}

TEST(IterNoncoreChunksTest, NoCoreDimensionsMakeEveryDimensionNonCore) {
  EXPECT_EQ(IterNoncoreChunks({{"y", 2}, {"x", 3}}, {})->num_chunks(), 6);
}

TEST(IterNoncoreChunksTest, AllCoreYieldsOneEmptySelection) {
  EXPECT_EQ(Selections(*IterNoncoreChunks({{"time", 9}}, {"time"}, 4)),
            std::vector<Selection>{Selection()});
}

TEST(IterNoncoreChunksTest, ACoreNameIsNotASubstring) {
  const ChunkGrid grid = *IterNoncoreChunks({{"t", 3}, {"time", 2}}, {"time"});
  EXPECT_EQ(grid.dims(), (Dimensions{{"t", 3}}));
}

TEST(IterNoncoreChunksTest, RefusesCoreDimensionsThatTheDataLack) {
  const absl::StatusOr<ChunkGrid> grid =
      IterNoncoreChunks({{"time", 9}, {"y", 2}}, {"tim"});
  EXPECT_EQ(grid.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(grid.status().message()),
            "the data has no core dimension 'tim'; it has time, y (did you "
            "mean 'time'?)");
  EXPECT_EQ(std::string(IterNoncoreChunks({{"time", 9}}, {"time", "time"})
                            .status()
                            .message()),
            "core dimension 'time' is given twice");
}

}  // namespace
}  // namespace internode::core
