// No memory is allocated per block once blocks of the same size have been read.
// A program of its own, for tests/support/allocations.h.

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "cube/block_reader.h"
#include "tests/support/allocations.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

constexpr int64_t kSide = 40;

// Allocations of a round through all blocks of `rows` x `columns`, after two
// rounds.
int64_t AllocationsOf(BlockReader* reader, int64_t rows, int64_t columns) {
  std::vector<core::Selection> blocks;
  for (int64_t y = 0; y < kSide; y += rows) {
    for (int64_t x = 0; x < kSide; x += columns) {
      blocks.push_back(Ranges({{y, y + rows}, {x, x + columns}}));
    }
  }
  core::Block block;
  int64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    before = internode::testing::Allocations();
    for (const core::Selection& selection : blocks) {
      EXPECT_TRUE(reader->Read(selection, &block).ok());
    }
  }
  return internode::testing::Allocations() - before;
}

TEST(ReadingAllocationTest, ReadsBlocksWithoutAllocating) {
  const std::string path = ::testing::TempDir() +
                           "internode_reading_allocation_test." +
                           std::to_string(getpid());
  core::BlockRequest request;
  std::vector<TestVariable> variables;
  for (const auto& [name, chunks] :
       std::vector<std::pair<std::string, std::vector<int64_t>>>{
           {"tiles", {30, 10, 10}}, {"dates", {1, 40, 40}}, {"plain", {}}}) {
    variables.push_back({.name = name,
                         .dims = {"time", "y", "x"},
                         .shape = {30, kSide, kSide},
                         .chunks = chunks,
                         .deflate = chunks.empty() ? 0 : 1});
    request.series.push_back({name, -1});
  }
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  WriteCube(path, variables);
  const auto cube = *Cube::Open(path);
  for (const int64_t cache_bytes : {int64_t{1} << 24, int64_t{200000}}) {
    const auto reader =
        *NewBlockReader(cube, request, {.cache_bytes = cache_bytes});
    EXPECT_EQ(AllocationsOf(reader.get(), 10, 10), 0);
    EXPECT_EQ(AllocationsOf(reader.get(), 1, kSide), 0);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace internode::cube
