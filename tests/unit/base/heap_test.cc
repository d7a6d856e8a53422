#include "base/heap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/resident_memory.h"
#include "tests/support/sanitizers.h"

namespace internode {
namespace {

// In a heap of another thread than the main one; what is allocated last stays,
// so that what was freed is not at the end.
void Burst(int64_t bytes, std::string* kept) {
  std::thread([bytes, kept] {
    constexpr size_t kBlock = 100'000;
    std::vector<std::string> blocks;
    for (int64_t made = 0; made < bytes; made += kBlock) {
      blocks.emplace_back(kBlock, 'x');
    }
    *kept = std::string(kBlock, 'y');
  }).join();
}

TEST(HeapTest, GivesBackWhatABurstLeft) {
  if (testing::kSanitized) GTEST_SKIP() << "the sanitizer has heaps of its own";
  constexpr int64_t kMebibyte = int64_t{1} << 20;
  KeepFreedMemory();
  const int64_t before = ResidentBytes(getpid());
  std::string kept;
  Burst(300 * kMebibyte, &kept);
  const int64_t held = ResidentBytes(getpid()) - before;
  ASSERT_GT(held, 150 * kMebibyte);
  // More may be kept than there is.
  ReturnFreedMemory(int64_t{1} << 40);
  EXPECT_GT(ResidentBytes(getpid()) - before, held - 16 * kMebibyte);
  ReturnFreedMemory(64 * kMebibyte);
  EXPECT_LT(ResidentBytes(getpid()) - before, 64 * kMebibyte);
  EXPECT_EQ(kept, std::string(100'000, 'y'));
}

}  // namespace
}  // namespace internode
