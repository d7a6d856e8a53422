#include "cube/chunk_cache.h"

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace internode::cube {
namespace {

constexpr size_t kBytes = 4096;

ChunkCache::Key Key(int64_t chunk) { return {.dataset = 1, .chunk = chunk}; }

class ChunkCacheTest : public ::testing::Test {
 protected:
  // Gets a chunk whose bytes say which it is, and takes `taken` of 4 numbers.
  absl::StatusOr<ChunkCache::Chunk> Get(ChunkCache* cache, int64_t chunk,
                                        int64_t taken = 0) {
    return cache->Get(Key(chunk), {kBytes, taken, 4},
                      [&](std::byte* target) -> absl::StatusOr<ChunkForm> {
                        ++decoded_;
                        std::memset(target, static_cast<int>(chunk), kBytes);
                        return ChunkForm::kNumbers;
                      });
  }
  int Decoded() { return decoded_.exchange(0); }

  std::atomic<int> decoded_{0};
};

// Room for so many chunks; an eighth is kept back.
int64_t RoomFor(int64_t chunks) {
  return chunks * static_cast<int64_t>(kBytes) * 8 / 7 + 8;
}

TEST_F(ChunkCacheTest, DecodesAChunkOnce) {
  ChunkCache cache(RoomFor(2));
  for (int i = 0; i < 3; ++i) {
    const auto chunk = Get(&cache, 5);
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->data()[kBytes - 1], std::byte{5});
  }
  EXPECT_EQ(Decoded(), 1);
  EXPECT_TRUE(cache.Contains(Key(5)));
  EXPECT_FALSE(cache.Contains(Key(6)));
  EXPECT_EQ(cache.figures().chunks, 1);
}

TEST_F(ChunkCacheTest, ThrowsOutWhatHasBeenTakenFirst) {
  ChunkCache cache(RoomFor(16));
  Get(&cache, 0, 3).IgnoreError();
  Get(&cache, 1, 4).IgnoreError();
  for (int64_t chunk = 2; chunk < 16; ++chunk) {
    Get(&cache, chunk, 3).IgnoreError();
  }
  EXPECT_EQ(cache.figures().chunks, 16);
  Get(&cache, 16).IgnoreError();
  EXPECT_EQ(cache.figures().chunks, 16);
  EXPECT_TRUE(cache.Contains(Key(0)));
  EXPECT_FALSE(cache.Contains(Key(1)));
  EXPECT_TRUE(cache.Contains(Key(16)));
}

// However much room there is.
TEST_F(ChunkCacheTest, UsesTheMemoryOfWhatHasBeenTakenAgain) {
  ChunkCache cache(RoomFor(70));
  for (int64_t chunk = 0; chunk < 60; ++chunk) {
    Get(&cache, chunk, 2).IgnoreError();
    Get(&cache, chunk, 2).IgnoreError();
    EXPECT_LE(cache.figures().bytes,
              cache.limit_bytes() / 8 + static_cast<int64_t>(kBytes));
  }
  EXPECT_EQ(Decoded(), 60);
  EXPECT_TRUE(cache.Contains(Key(59)));
  EXPECT_TRUE(cache.Contains(Key(50)));
  EXPECT_FALSE(cache.Contains(Key(49)));
}

// Round and round through more chunks than there is room for.
TEST_F(ChunkCacheTest, KeepsWhatFitsOfALongRound) {
  ChunkCache cache(RoomFor(6));
  for (int64_t chunk = 0; chunk < 10; ++chunk) Get(&cache, chunk).IgnoreError();
  EXPECT_EQ(Decoded(), 10);
  for (int round = 0; round < 3; ++round) {
    for (int64_t chunk = 0; chunk < 10; ++chunk) {
      Get(&cache, chunk).IgnoreError();
    }
    EXPECT_EQ(Decoded(), 4);
  }
  EXPECT_EQ(cache.figures().without_room, 4 * 4);
}

// Chunks of a job that ended do not block the next one.
TEST_F(ChunkCacheTest, ThrowsOutWhatIsNotUsedForLong) {
  ChunkCache cache(RoomFor(3));
  for (int64_t chunk = 0; chunk < 3; ++chunk) Get(&cache, chunk).IgnoreError();
  for (int i = 0; i < 200; ++i) Get(&cache, 7).IgnoreError();
  EXPECT_TRUE(cache.Contains(Key(7)));
  EXPECT_LT(Decoded(), 150);
}

TEST_F(ChunkCacheTest, StaysWithinItsLimit) {
  ChunkCache cache(RoomFor(4));
  std::mt19937 random(1);
  std::vector<ChunkCache::Chunk> held;
  for (int i = 0; i < 2000; ++i) {
    auto chunk = Get(&cache, random() % 20, random() % 3);
    ASSERT_TRUE(chunk.ok());
    held.push_back(*std::move(chunk));
    if (held.size() == 2) held.clear();
    // What is in use is there whatever the limit.
    EXPECT_LE(cache.figures().bytes,
              cache.limit_bytes() + static_cast<int64_t>(2 * kBytes));
  }
  held.clear();
  // Both wait to be used again.
  EXPECT_LE(cache.figures().bytes,
            cache.limit_bytes() + static_cast<int64_t>(2 * kBytes));
}

TEST_F(ChunkCacheTest, GivesMemoryThatIsInFlightAway) {
  constexpr auto kInFlight = static_cast<int64_t>(30 * kBytes);
  ChunkCache cache(RoomFor(32));
  for (int64_t chunk = 0; chunk < 4; ++chunk) {
    Get(&cache, chunk, 4).IgnoreError();
  }
  EXPECT_EQ(cache.figures().chunks, 4);
  cache.AddInFlight(kInFlight);
  EXPECT_EQ(cache.figures().chunks, 2);
  EXPECT_EQ(cache.figures().in_flight_bytes, kInFlight);
  cache.AddInFlight(-kInFlight);
  Get(&cache, 8).IgnoreError();
  Get(&cache, 9).IgnoreError();
  EXPECT_EQ(cache.figures().chunks, 4);
}

TEST_F(ChunkCacheTest, ServesWithoutAnyRoom) {
  ChunkCache cache(0);
  for (int i = 0; i < 2; ++i) {
    const auto chunk = Get(&cache, 3);
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->data()[0], std::byte{3});
  }
  EXPECT_EQ(Decoded(), 2);
  EXPECT_EQ(cache.figures().chunks, 0);
  EXPECT_EQ(cache.figures().bytes, static_cast<int64_t>(kBytes));
}

TEST_F(ChunkCacheTest, TriesAgainAfterAnError) {
  ChunkCache cache(RoomFor(2));
  const auto failed = cache.Get(Key(1), {kBytes, 1, 4},
                                [](std::byte*) -> absl::StatusOr<ChunkForm> {
                                  return absl::DataLossError("damaged");
                                });
  EXPECT_EQ(failed.status(), absl::DataLossError("damaged"));
  EXPECT_FALSE(cache.Contains(Key(1)));
  EXPECT_TRUE(Get(&cache, 1).ok());
}

TEST_F(ChunkCacheTest, ThreadsShareOneDecoding) {
  ChunkCache cache(RoomFor(64));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int64_t chunk = 0; chunk < 64; ++chunk) {
        const auto got = Get(&cache, chunk);
        if (!got.ok() ||
            got->data()[kBytes / 2] != static_cast<std::byte>(chunk)) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Decoded(), 64);
}

// All who wait for a chunk that cannot be decoded are told, and nothing stays.
TEST_F(ChunkCacheTest, ThreadsShareErrorsAndEvictions) {
  ChunkCache cache(RoomFor(5));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        const int64_t chunk = random() % 12;
        const auto got = cache.Get(
            Key(chunk), {kBytes, static_cast<int64_t>(random() % 3), 4},
            [&](std::byte* target) -> absl::StatusOr<ChunkForm> {
              if (chunk % 4 == 3) return absl::DataLossError("damaged");
              std::memset(target, static_cast<int>(chunk), kBytes);
              return ChunkForm::kPlanes;
            });
        if (got.ok() != (chunk % 4 != 3)) ++wrong;
        if (got.ok() && (got->form() != ChunkForm::kPlanes ||
                         got->data()[7] != static_cast<std::byte>(chunk))) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  // As many as there are threads wait to be used again.
  EXPECT_LE(cache.figures().bytes,
            cache.limit_bytes() + static_cast<int64_t>(4 * kBytes));
}

}  // namespace
}  // namespace internode::cube
