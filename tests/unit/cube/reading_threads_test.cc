// Readers on several threads: what they decode, and how often.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "base/mutex.h"
#include "cube/block_reader.h"
#include "cube/cube_file.h"
#include "cube/read_pool.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

using core::Block;
using core::BlockRequest;
using core::Selection;

constexpr int64_t kTimes = 40;
constexpr int64_t kSide = 60;
constexpr int64_t kChunk = 10;
constexpr int64_t kLarge = int64_t{64} << 20;
// Of all bands.
constexpr int64_t kChunks = 3 * (kSide / kChunk) * (kSide / kChunk);
const char* const kBands[] = {"blue", "red", "nir"};

class ReadingThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "internode_reading_threads_test." +
            std::to_string(getpid());
    std::vector<TestVariable> variables;
    for (const char* band : kBands) {
      variables.push_back({.name = band,
                           .dims = {"time", "y", "x"},
                           .shape = {kTimes, kSide, kSide},
                           .chunks = {kTimes, kChunk, kChunk},
                           .deflate = 1});
      request_.series.push_back({band, -1});
    }
    request_.core_dims = {"time"};
    request_.noncore_dims = {"y", "x"};
    WriteCube(path_, variables);
    Open();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void Open() {
    auto cube = Cube::Open(path_);
    ASSERT_TRUE(cube.ok()) << cube.status();
    cube_ = *std::move(cube);
  }

  static bool IsRight(const Block& block) {
    const auto& extents = block.selection().extents;
    int64_t pixel = 0;
    for (int64_t y = extents[0].begin; y < extents[0].end; ++y) {
      for (int64_t x = extents[1].begin; x < extents[1].end; ++x, ++pixel) {
        for (size_t s = 0; s < 3; ++s) {
          const auto series = block.Series<int16_t>(pixel, s);
          for (int64_t t = 0; t < kTimes; ++t) {
            if (series[static_cast<size_t>(t)] !=
                TestNumber(kBands[s], (t * kSide + y) * kSide + x)) {
              return false;
            }
          }
        }
      }
    }
    return true;
  }

  // All blocks of the cube of `rows` x `columns`, in order.
  static std::vector<Selection> Blocks(int64_t rows, int64_t columns) {
    std::vector<Selection> blocks;
    for (int64_t y = 0; y < kSide; y += rows) {
      for (int64_t x = 0; x < kSide; x += columns) {
        blocks.push_back(Ranges({{y, std::min(y + rows, kSide)},
                                 {x, std::min(x + columns, kSide)}}));
      }
    }
    return blocks;
  }

  // Reads `blocks` on `threads` threads, each the next one, and returns how
  // many could not be read. Every other one has to be right. Blocks that are
  // being read at the same time are less than `lead` apart.
  int ReadAll(const std::vector<Selection>& blocks, int threads,
              const std::shared_ptr<ReadPool>& pool,
              size_t lead = std::numeric_limits<size_t>::max()) {
    const auto reader = *NewBlockReader(cube_, request_, {.pool = pool});
    std::atomic<size_t> next{0};
    std::atomic<int> failed{0};
    std::atomic<int> wrong{0};
    Mutex mu;
    std::set<size_t> unread;
    for (size_t i = 0; i < blocks.size(); ++i) unread.insert(i);
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([&] {
        Block block;
        for (size_t i = next++; i < blocks.size(); i = next++) {
          {
            MutexLock lock(&mu);
            mu.Await([&] { return i - *unread.begin() < lead; });
          }
          if (!reader->Read(blocks[i], &block).ok()) {
            ++failed;
          } else if (!IsRight(block)) {
            ++wrong;
          }
          MutexLock lock(&mu);
          unread.erase(i);
        }
      });
    }
    for (std::thread& thread : running) thread.join();
    EXPECT_EQ(wrong, 0);
    return failed;
  }

  std::string path_;
  BlockRequest request_;
  std::shared_ptr<const Cube> cube_;
};

TEST_F(ReadingThreadsTest, DecodesStorageChunksOfAlignedBlocksOnce) {
  for (const int threads : {1, 4}) {
    // They need no cache.
    const auto pool = std::make_shared<ReadPool>(0);
    EXPECT_EQ(ReadAll(Blocks(kChunk, kChunk), threads, pool), 0);
    EXPECT_EQ(pool->counters().chunks_decoded, kChunks);
    EXPECT_EQ(pool->counters().chunks_reused, 0);
  }
}

TEST_F(ReadingThreadsTest, DecodesStorageChunksOfOtherBlocksOnceWithACache) {
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{1, kSide}, {15, 15}, {7, 4}, {60, 1}}) {
    for (const int threads : {1, 4}) {
      const auto pool = std::make_shared<ReadPool>(kLarge);
      EXPECT_EQ(ReadAll(Blocks(rows, columns), threads, pool), 0);
      EXPECT_EQ(pool->counters().chunks_decoded, kChunks)
          << rows << " x " << columns;
    }
  }
}

// Room for two rows of storage chunks, and for what the threads have in flight,
// is enough for rows of pixels, since chunks that are finished go. Threads may
// stand still for any time: they are kept within a row of storage chunks of
// each other, as more has no room.
TEST_F(ReadingThreadsTest, NeedsTheStorageChunksOfARowOfPixels) {
  constexpr int64_t kRow = 3 * (kSide / kChunk) * 8192;
  for (const int threads : {1, 2}) {
    const int64_t limit = (2 + threads) * kRow;
    const auto pool = std::make_shared<ReadPool>(limit);
    EXPECT_EQ(ReadAll(Blocks(1, kSide), threads, pool, kChunk), 0);
    EXPECT_EQ(pool->counters().chunks_decoded, kChunks);
    EXPECT_LE(pool->cache().figures().bytes, limit + (8 << 20));
  }
}

TEST_F(ReadingThreadsTest, WithoutRoomBlocksAreRightAllTheSame) {
  for (const int64_t limit : {0, 8192, 50000, 300000}) {
    const auto pool = std::make_shared<ReadPool>(limit);
    EXPECT_EQ(ReadAll(Blocks(7, 13), 4, pool), 0);
  }
}

// The blocks that need the damaged storage chunk fail, and no others.
TEST_F(ReadingThreadsTest, ADamagedStorageChunkFailsWhoeverNeedsIt) {
  cube_.reset();
  const ChunkPlace place = PlaceOfChunk(path_, "red", {0, 20, 30});
  DamageByte(path_, place.offset + place.bytes / 2);
  Open();
  EXPECT_EQ(
      ReadAll(Blocks(kChunk, kChunk), 4, std::make_shared<ReadPool>(kLarge)),
      1);
  EXPECT_EQ(ReadAll(Blocks(5, 5), 4, std::make_shared<ReadPool>(kLarge)), 4);
  EXPECT_EQ(ReadAll(Blocks(1, kSide), 4, std::make_shared<ReadPool>(kLarge)),
            kChunk);
}

TEST_F(ReadingThreadsTest, ReadersOfAProcessShareWhatTheyKnow) {
  const auto pool = std::make_shared<ReadPool>(kLarge);
  const StoredVariable& blue = cube_->file().variables[0];
  const auto first = *pool->Find(cube_->file(), blue);
  const auto other_cube = *Cube::Open(path_);
  const auto second =
      *pool->Find(other_cube->file(), other_cube->file().variables[0]);
  EXPECT_EQ(first, second);
  EXPECT_NE(first->id,
            (*pool->Find(cube_->file(), cube_->file().variables[1]))->id);
  // Two jobs, each of which takes half of every storage chunk.
  const auto a = *NewBlockReader(cube_, request_, {.pool = pool});
  const auto b = *NewBlockReader(other_cube, request_, {.pool = pool});
  Block block;
  ASSERT_TRUE(a->Read(Ranges({{0, 5}, {0, kSide}}), &block).ok());
  ASSERT_TRUE(b->Read(Ranges({{5, 10}, {0, kSide}}), &block).ok());
  EXPECT_TRUE(IsRight(block));
  EXPECT_EQ(pool->counters().chunks_decoded, kChunks / 6);
  EXPECT_EQ(pool->counters().chunks_reused, kChunks / 6);
}

// Another file in its place has nothing in common with it.
TEST_F(ReadingThreadsTest, AFileThatIsReplacedIsAnotherOne) {
  const auto pool = std::make_shared<ReadPool>(kLarge);
  const auto before = *pool->Find(cube_->file(), cube_->file().variables[0]);
  const auto reader = *NewBlockReader(cube_, request_, {.pool = pool});
  Block block;
  ASSERT_TRUE(reader->Read(Ranges({{0, 5}, {0, 5}}), &block).ok());
  std::filesystem::copy(path_, path_ + ".new");
  std::filesystem::rename(path_ + ".new", path_);
  EXPECT_EQ(reader->Read(Ranges({{0, 5}, {0, 5}}), &block).code(),
            absl::StatusCode::kFailedPrecondition);
  Open();
  EXPECT_NE(before->id,
            (*pool->Find(cube_->file(), cube_->file().variables[0]))->id);
}

}  // namespace
}  // namespace internode::cube
