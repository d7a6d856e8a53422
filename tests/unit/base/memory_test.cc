#include "base/memory.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "gtest/gtest.h"

#include "tests/support/sanitizers.h"

namespace internode {
namespace {

TEST(MemoryTest, BeginsAtLinesAndHugePages) {
  constexpr size_t kMiB = size_t{1} << 20;
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{100}, 3 * kMiB}) {
    Memory memory(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 64, 0u) << bytes;
    if (bytes > 0) std::memset(memory.data(), 1, bytes);
  }
  Memory large(5 * kMiB + 1);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % (2 * kMiB), 0u);
  std::memset(large.data(), 1, 5 * kMiB + 1);
}

TEST(MemoryTest, Moves) {
  Memory a(100);
  std::byte* const data = a.data();
  Memory b = std::move(a);
  EXPECT_EQ(b.data(), data);
  Memory c;
  EXPECT_EQ(c.data(), nullptr);
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
}

TEST(MemoryTest, ThrowsWhereThereIsNone) {
  if (testing::kSanitized) GTEST_SKIP() << "the sanitizer ends the program";
  EXPECT_THROW(Memory(size_t{1} << 60), std::bad_alloc);
}

}  // namespace
}  // namespace internode
