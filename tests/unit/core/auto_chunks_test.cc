#include "core/auto_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace internode::core {
namespace {

VariableInfo Variable(std::string name, Dimensions dims,
                      std::vector<int64_t> storage_chunks) {
  VariableInfo variable;
  variable.name = std::move(name);
  variable.dims = std::move(dims);
  variable.storage_chunks = std::move(storage_chunks);
  return variable;
}

BlockRequest RequestFor(const CubeInfo& cube) {
  BlockRequest request;
  for (const VariableInfo& variable : cube.variables) {
    request.series.push_back({variable.name, -1});
  }
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  return request;
}

TEST(AutoChunkGridTest, TakesWholeStorageChunksOfAtMostTheLimit) {
  CubeInfo cube;
  // 1000 dates of int16: 2000 bytes a pixel, 5 MB a storage chunk.
  cube.variables = {Variable("red", {{"time", 1000}, {"y", 5000}, {"x", 5000}},
                             {1000, 50, 50})};
  const ChunkGrid grid =
      *AutoChunkGrid(cube, RequestFor(cube), {{"y", 5000}, {"x", 5000}},
                     {Extent::Range(0, 5000), Extent::Range(0, 5000)});
  EXPECT_EQ(grid.cuts()[0].chunk, 50);
  EXPECT_EQ(grid.cuts()[1].chunk % 50, 0);
  EXPECT_LE(grid.max_chunk_pixels() * 2000, kAutoChunkBytes);
  EXPECT_GT(grid.max_chunk_pixels() * 2000, kAutoChunkBytes / 2);
}

TEST(AutoChunkGridTest, TakesOneTileEvenIfItIsLarger) {
  CubeInfo cube;
  cube.variables = {
      Variable("red", {{"time", 1000}, {"y", 900}, {"x", 900}}, {1, 500, 900})};
  const ChunkGrid grid =
      *AutoChunkGrid(cube, RequestFor(cube), {{"y", 900}, {"x", 900}},
                     {Extent::Range(0, 900), Extent::Range(0, 900)});
  EXPECT_EQ(grid.cuts()[0].chunk, 500);
  EXPECT_EQ(grid.cuts()[1].chunk, 900);
}

TEST(AutoChunkGridTest, TakesRowsOfWhatIsNotChunked) {
  CubeInfo cube;
  cube.variables = {
      Variable("red", {{"time", 100}, {"y", 640}, {"x", 640}}, {})};
  const ChunkGrid grid =
      *AutoChunkGrid(cube, RequestFor(cube), {{"y", 640}, {"x", 640}},
                     {Extent::Range(0, 640), Extent::Range(0, 640)});
  EXPECT_EQ(grid.cuts()[0].chunk, 10);
  EXPECT_EQ(grid.cuts()[1].chunk, 640);
}

TEST(AutoChunkGridTest, RefusesUnknownVariables) {
  BlockRequest request;
  request.series = {{"red", -1}};
  EXPECT_EQ(AutoChunkGrid(CubeInfo(), request, {}, {}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(AutoChunkGridTest, AbsurdSizesDoNotOverflow) {
  constexpr int64_t kLarge = int64_t{1} << 40;
  CubeInfo cube;
  cube.variables = {
      Variable("a", {{"time", kLarge}, {"y", kLarge}, {"x", 1 << 20}},
               {1, kLarge - 1, (1 << 20) - 1}),
      Variable("b", {{"time", kLarge}, {"y", kLarge}, {"x", 1 << 20}},
               {1, kLarge - 3, 7})};
  const absl::StatusOr<ChunkGrid> grid =
      AutoChunkGrid(cube, RequestFor(cube), {{"y", kLarge}, {"x", 1 << 20}},
                    {Extent::Range(0, kLarge), Extent::Range(0, 1 << 20)});
  ASSERT_TRUE(grid.ok());
  EXPECT_GE(grid->num_chunks(), 1);
}

// The storage chunks of `variable` that `selection` (y, x) reads.
std::set<std::tuple<int64_t, int64_t>> Touched(const VariableInfo& variable,
                                               const Selection& selection) {
  std::set<std::tuple<int64_t, int64_t>> touched;
  const int64_t cy = variable.storage_chunks[1];
  const int64_t cx = variable.storage_chunks[2];
  for (int64_t y = selection.extents[0].begin / cy;
       y <= (selection.extents[0].end - 1) / cy; ++y) {
    for (int64_t x = selection.extents[1].begin / cx;
         x <= (selection.extents[1].end - 1) / cx; ++x) {
      touched.insert({y, x});
    }
  }
  return touched;
}

TEST(AutoChunkGridTest, NoStorageChunkIsReadByTwoTasks) {
  std::mt19937 random(3);
  const auto upto = [&random](int64_t n) {
    return 1 + static_cast<int64_t>(random() % static_cast<uint32_t>(n));
  };
  for (int round = 0; round < 300; ++round) {
    const int64_t nt = upto(3000);
    const int64_t ny = upto(200);
    const int64_t nx = upto(200);
    CubeInfo cube;
    for (int v = 0; v < 2; ++v) {
      cube.variables.push_back(Variable(v == 0 ? "a" : "b",
                                        {{"time", nt}, {"y", ny}, {"x", nx}},
                                        {upto(nt), upto(ny), upto(nx)}));
    }
    const int64_t y0 = upto(ny) - 1;
    const int64_t x0 = upto(nx) - 1;
    const Extent y = Extent::Range(y0, y0 + upto(ny - y0));
    const Extent x = Extent::Range(x0, x0 + upto(nx - x0));
    const ChunkGrid grid =
        *AutoChunkGrid(cube, RequestFor(cube), {{"y", ny}, {"x", nx}}, {y, x});
    for (const VariableInfo& variable : cube.variables) {
      std::set<std::tuple<int64_t, int64_t>> all;
      for (const Selection& selection : grid) {
        for (const auto& chunk : Touched(variable, selection)) {
          ASSERT_TRUE(all.insert(chunk).second)
              << "storage chunk read twice in round " << round;
        }
      }
    }
  }
}

}  // namespace
}  // namespace internode::core
