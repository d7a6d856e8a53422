#include "core/axis_reads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace internode::core {
namespace {

// By listing the tasks and the storage chunks that each of them needs.
AxisReads Enumerated(const DimensionCut& cut, int64_t storage_chunk) {
  AxisReads axis;
  int64_t last = -1;
  for (int64_t at = cut.begin; at < cut.end;) {
    const int64_t boundary =
        cut.origin + ((at - cut.origin) / cut.chunk + 1) * cut.chunk;
    const int64_t end = std::min(cut.end, boundary);
    ++axis.tasks;
    for (int64_t c = at / storage_chunk; c <= (end - 1) / storage_chunk; ++c) {
      ++axis.reads;
      if (c > last) ++axis.chunks;
      last = std::max(last, c);
    }
    at = end;
  }
  return axis;
}

TEST(AxisReadsTest, IsWhatEnumerationCounts) {
  for (int64_t begin = 0; begin < 9; ++begin) {
    for (int64_t end = begin; end < 26; ++end) {
      for (int64_t chunk = 1; chunk < 14; ++chunk) {
        const int64_t first = std::max<int64_t>(0, begin - chunk + 1);
        for (int64_t origin = first; origin <= begin; ++origin) {
          for (int64_t storage = 1; storage < 14; ++storage) {
            const DimensionCut cut = {begin, end, chunk, origin};
            EXPECT_EQ(CountAxisReads(cut, storage), Enumerated(cut, storage))
                << begin << ' ' << end << ' ' << chunk << ' ' << origin << ' '
                << storage;
          }
        }
      }
    }
  }
}

TEST(AxisReadsTest, CountsWhatNobodyCouldList) {
  constexpr int64_t kHuge = INT64_MAX;
  // Each boundary between tasks of 3 cuts a storage chunk of 2 but every
  // second one.
  const AxisReads axis = CountAxisReads({0, kHuge / 6 * 6, 3, 0}, 2);
  EXPECT_EQ(axis.tasks, kHuge / 6 * 2);
  EXPECT_EQ(axis.chunks, kHuge / 6 * 3);
  EXPECT_EQ(axis.reads, kHuge / 6 * 4);
  EXPECT_EQ(CountAxisReads({0, kHuge, 1, 0}, kHuge),
            (AxisReads{kHuge, 1, kHuge}));
  EXPECT_EQ(CountAxisReads({0, kHuge, kHuge, 0}, 1),
            (AxisReads{1, kHuge, kHuge}));
  EXPECT_EQ(CountAxisReads({kHuge - 1, kHuge, kHuge - 2, kHuge - 2}, 7).reads,
            1);
}

}  // namespace
}  // namespace internode::core
