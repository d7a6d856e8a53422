#include "cube/rechunk_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace internode::cube {
namespace {

using core::Selection;
using testing::HasSubstr;

int64_t Uniform(std::mt19937_64* random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(*random);
}

std::vector<RechunkAxis> RandomAxes(std::mt19937_64* random) {
  std::vector<RechunkAxis> axes;
  const int64_t rank = Uniform(random, 1, 4);
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t size = Uniform(random, 1, 9);
    axes.push_back({.size = size,
                    .source = Uniform(random, 1, size + 2),
                    .target = Uniform(random, 1, size)});
  }
  return axes;
}

// The number of each element in storage order.
std::vector<int64_t> Numbers(const std::vector<RechunkAxis>& axes,
                             const Selection& box) {
  std::vector<int64_t> numbers;
  const int64_t elements = box.num_pixels();
  for (int64_t e = 0; e < elements; ++e) {
    int64_t rest = e;
    int64_t number = 0;
    int64_t stride = 1;
    for (size_t d = axes.size(); d-- > 0;) {
      const core::Extent& extent = box.extents[d];
      number += (extent.begin + rest % extent.size()) * stride;
      rest /= extent.size();
      stride *= axes[d].size;
    }
    numbers.push_back(number);
  }
  return numbers;
}

// Puts each element through the store, as the copy does, and follows where it
// arrives and in which order the new storage chunks are written.
TEST(RechunkPlanTest, EveryElementArrivesOnceAndInRowMajorOrder) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    const std::vector<RechunkAxis> axes = RandomAxes(&random);
    RechunkLimits limits;
    limits.tile_bytes = Uniform(&random, 1, 4000);
    limits.block_bytes = Uniform(&random, 1, 2000);
    limits.most_reads = static_cast<double>(Uniform(&random, 1, 3));
    const RechunkPlan plan = PlanRechunk(axes, 2, limits);
    std::vector<int64_t> targets;
    for (const RechunkAxis& axis : axes) targets.push_back(axis.target);
    const Selection whole = WholeBox(axes);
    std::vector<int> seen(static_cast<size_t>(whole.num_pixels()));
    std::vector<std::vector<int64_t>> written;
    const core::ChunkGrid tiles = CutBox(whole, plan.tile);
    if (plan.uses_scratch) {
      EXPECT_EQ(tiles.num_chunks(), 1);
    }
    for (int64_t t = 0; t < tiles.num_chunks(); ++t) {
      const Selection tile = tiles.Chunk(t);
      std::vector<int64_t> store(static_cast<size_t>(tile.num_pixels()), -1);
      const core::ChunkGrid blocks = CutBox(tile, plan.block);
      for (int64_t b = 0; b < blocks.num_chunks(); ++b) {
        const core::ChunkGrid pieces = CutBox(blocks.Chunk(b), targets);
        for (int64_t p = 0; p < pieces.num_chunks(); ++p) {
          const Selection piece = pieces.Chunk(p);
          Selection chunk;
          for (size_t d = 0; d < axes.size(); ++d) {
            const int64_t begin =
                piece.extents[d].begin / targets[d] * targets[d];
            chunk.extents.push_back(core::Extent::Range(
                begin, std::min(begin + targets[d], axes[d].size)));
          }
          int64_t at =
              ElementsBefore(chunk, tile) + ElementsBefore(piece, chunk);
          for (const int64_t number : Numbers(axes, piece)) {
            ASSERT_EQ(store[static_cast<size_t>(at)], -1);
            store[static_cast<size_t>(at++)] = number;
          }
        }
      }
      const core::ChunkGrid chunks = CutBox(tile, targets);
      for (int64_t c = 0; c < chunks.num_chunks(); ++c) {
        const Selection chunk = chunks.Chunk(c);
        written.emplace_back();
        for (size_t d = 0; d < axes.size(); ++d) {
          written.back().push_back(chunk.extents[d].begin / targets[d]);
        }
        const core::ChunkGrid pieces = CutBox(chunk, plan.block);
        for (int64_t p = 0; p < pieces.num_chunks(); ++p) {
          const Selection piece = pieces.Chunk(p);
          int64_t at =
              ElementsBefore(chunk, tile) + ElementsBefore(piece, chunk);
          for (const int64_t number : Numbers(axes, piece)) {
            ASSERT_EQ(store[static_cast<size_t>(at++)], number);
            ++seen[static_cast<size_t>(number)];
          }
        }
      }
    }
    EXPECT_THAT(seen, testing::Each(1));
    EXPECT_TRUE(std::is_sorted(written.begin(), written.end()));
  }
}

TEST(RechunkPlanTest, StaysBelowItsLimits) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 3000; ++round) {
    const std::vector<RechunkAxis> axes = RandomAxes(&random);
    const RechunkLimits limits = {.tile_bytes = Uniform(&random, 1, 4000),
                                  .block_bytes = Uniform(&random, 1, 2000),
                                  .most_reads = 1e9};
    const RechunkPlan plan = PlanRechunk(axes, 2, limits);
    int64_t target = 2;
    int64_t source = 2;
    for (const RechunkAxis& axis : axes) {
      target *= std::min(axis.target, axis.size);
      source *= std::min(axis.source, axis.size);
    }
    EXPECT_LE(SaturatedElements(plan.tile) * 2,
              std::max(limits.tile_bytes, target));
    EXPECT_LE(SaturatedElements(plan.block) * 2,
              std::max(limits.block_bytes, source));
    EXPECT_FALSE(plan.uses_scratch);
  }
}

TEST(RechunkPlanTest, TakesScratchForOneDateEach) {
  // 882 dates of a Landsat tile, one storage chunk each.
  const std::vector<RechunkAxis> dates = {
      {882, 1, 882}, {5000, 250, 64}, {5000, 250, 64}};
  const RechunkPlan plan = PlanRechunk(dates, 2, {});
  EXPECT_TRUE(plan.uses_scratch);
  EXPECT_EQ(plan.reads_per_chunk, 1);
  EXPECT_THAT(plan.tile, testing::ElementsAre(882, 5000, 5000));
  // Rows of storage chunks.
  EXPECT_THAT(plan.block, testing::ElementsAre(1, 750, 5000));
}

TEST(RechunkPlanTest, TakesMemoryForSeriesThatAreSeries) {
  const std::vector<RechunkAxis> series = {
      {882, 882, 882}, {5000, 10, 64}, {5000, 10, 64}};
  const RechunkPlan plan = PlanRechunk(series, 2, {});
  EXPECT_FALSE(plan.uses_scratch);
  EXPECT_LT(plan.reads_per_chunk, 1.2);
  EXPECT_EQ(plan.tile[0], 882);
  EXPECT_EQ(plan.block[0], 882);
}

core::CubeInfo CubeOf(core::Dimensions dims) {
  core::CubeInfo cube;
  cube.path = "cube.nc";
  cube.dims = dims;
  cube.time.emplace().dim = "time";
  core::VariableInfo variable;
  variable.name = "red";
  variable.type = core::DataType::kInt16;
  variable.dims = std::move(dims);
  cube.variables = {variable};
  return cube;
}

TEST(ChooseStorageChunksTest, TakesAllOfTimeAndSquares) {
  EXPECT_EQ(*ChooseStorageChunks(
                CubeOf({{"time", 882}, {"y", 5000}, {"x", 5000}}), {}),
            (core::Dimensions{{"time", 882}, {"y", 64}, {"x", 64}}));
  // Longer series, smaller squares.
  EXPECT_EQ(*ChooseStorageChunks(
                CubeOf({{"time", 9000}, {"y", 5000}, {"x", 5000}}), {}),
            (core::Dimensions{{"time", 9000}, {"y", 16}, {"x", 16}}));
  EXPECT_EQ(
      *ChooseStorageChunks(CubeOf({{"time", 400}, {"sample_id", 100000}}), {}),
      (core::Dimensions{{"time", 400}, {"sample_id", 4096}}));
  EXPECT_EQ(
      *ChooseStorageChunks(CubeOf({{"time", 3}, {"y", 10}, {"x", 0}}), {}),
      (core::Dimensions{{"time", 3}, {"y", 10}, {"x", 1}}));
}

TEST(ChooseStorageChunksTest, LeavesDimensionsWithoutSeriesWhole) {
  core::CubeInfo cube = CubeOf({{"time", 882}, {"y", 5000}, {"x", 5000}});
  cube.dims.push_back({"class", 900});
  core::VariableInfo classes = cube.variables[0];
  classes.name = "classes";
  classes.dims = {{"y", 5000}, {"x", 5000}, {"class", 900}};
  cube.variables.push_back(classes);
  EXPECT_EQ(
      *ChooseStorageChunks(cube, {}),
      (core::Dimensions{{"time", 882}, {"y", 64}, {"x", 64}, {"class", 900}}));
  cube.band_dim = "class";
  EXPECT_EQ(ChooseStorageChunks(cube, {})->back().size, 1);
}

TEST(ChooseStorageChunksTest, TakesWhatIsGiven) {
  const core::CubeInfo cube = CubeOf({{"time", 882}, {"y", 5000}, {"x", 100}});
  EXPECT_EQ(*ChooseStorageChunks(cube, {{"x", -1}, {"time", 1}, {"y", 7000}}),
            (core::Dimensions{{"time", 1}, {"y", 5000}, {"x", 100}}));
}

TEST(ChooseStorageChunksTest, NamesWhatIsWrong) {
  const core::CubeInfo cube = CubeOf({{"time", 882}, {"y", 5000}, {"x", 5000}});
  const auto error = [&](const core::Dimensions& given) {
    return std::string(ChooseStorageChunks(cube, given).status().message());
  };
  EXPECT_THAT(error({{"tim", -1}}), HasSubstr("did you mean 'time'?"));
  EXPECT_THAT(error({{"y", 0}}), HasSubstr("'y' is 0"));
  EXPECT_THAT(error({{"y", -2}}), HasSubstr("-1 for the whole dimension"));
  EXPECT_THAT(error({{"y", 1}, {"y", 2}}), HasSubstr("given twice"));
  EXPECT_THAT(error({{"y", -1}, {"x", -1}}), HasSubstr("less than 4 GiB"));
  core::CubeInfo timeless = cube;
  timeless.time.reset();
  timeless.dims[0].name = "phony_dim_0";
  timeless.variables[0].dims[0].name = "phony_dim_0";
  EXPECT_THAT(ChooseStorageChunks(timeless, {}).status().message(),
              HasSubstr("--storage-chunks"));
}

}  // namespace
}  // namespace internode::cube
