#include "core/shared_storage.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace internode::core {
namespace {

// A cube of 100 rows and 500 columns in storage chunks of `rows` x `columns`;
// 0: not in chunks.
int64_t Together(int64_t rows, int64_t columns, const ChunkSizes& sizes) {
  VariableInfo variable;
  variable.name = "blue";
  variable.dims = {{"time", 9}, {"y", 100}, {"x", 500}};
  if (rows > 0) variable.storage_chunks = {9, rows, columns};
  CubeInfo cube;
  cube.dims = variable.dims;
  cube.variables.push_back(variable);
  const BlockRequest request = {.series = {{"blue", -1}},
                                .core_dims = {"time"},
                                .noncore_dims = {"y", "x"}};
  return TasksSharingStorage(
      cube, request, *ChunkGrid::Create({{"y", 100}, {"x", 500}}, sizes));
}

TEST(SharedStorageTest, TasksThatCutNothingStandAlone) {
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 10}, {"x", 10}}), 1);
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 30}, {"x", 500}}), 1);
  EXPECT_EQ(Together(0, 0, ChunkMapping{{"x", 500}}), 1);
  EXPECT_EQ(Together(1, 1, NoChunks{}), 1);
  EXPECT_EQ(Together(100, 500, ChunkMapping{{"y", 100}, {"x", 500}}), 1);
}

TEST(SharedStorageTest, RowsOfAStorageChunkBelongTogether) {
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"x", 500}}), 10);
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 5}, {"x", 500}}), 2);
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 15}, {"x", 500}}), 2);
  // Rows are cut into 5 tasks each.
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 5}, {"x", 100}}), 10);
  // Only columns cut storage chunks.
  EXPECT_EQ(Together(10, 10, ChunkMapping{{"y", 10}, {"x", 5}}), 2);
  EXPECT_EQ(Together(10, 10, NoChunks{}), 10 * 500);
}

TEST(SharedStorageTest, IsNeverMoreThanTheTasks) {
  // One storage chunk has everything: all tasks share it.
  EXPECT_EQ(Together(100, 500, ChunkMapping{{"x", 500}}), 100);
  EXPECT_EQ(Together(100, 500, ChunkMapping{{"y", 30}, {"x", 500}}), 4);
  // It is longer than the dimension.
  EXPECT_EQ(Together(1000, 500, ChunkMapping{{"y", 25}, {"x", 500}}), 4);
  EXPECT_EQ(Together(7, 500, ChunkMapping{{"y", 90}, {"x", 500}}), 2);
}

}  // namespace
}  // namespace internode::core
