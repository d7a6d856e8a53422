#include "scheduler/spool/spool_index.h"

#include <map>
#include <random>

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

TEST(SpoolIndexTest, FindsTheRestOfTheEntryThatHoldsATask) {
  SpoolIndex index;
  index.Add({10, 20}, {.segment = 1, .frame_bytes = 5, .offset = 32});
  EXPECT_EQ(index.Find(9), std::nullopt);
  EXPECT_EQ(index.Find(20), std::nullopt);
  const std::optional<SpoolIndex::Entry> entry = index.Find(13);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->tasks, (internode::core::Interval{13, 20}));
  EXPECT_EQ(entry->position.offset, 32);
}

TEST(SpoolIndexTest, WhatIsThereStaysWhereItIs) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    SpoolIndex index;
    std::map<int64_t, int64_t> offsets;
    for (int64_t offset = 0; offset < 60; ++offset) {
      const int64_t begin = random() % 200;
      const int64_t end = begin + static_cast<int64_t>(random() % 20);
      index.Add({begin, end}, {.offset = offset});
      for (int64_t task = begin; task < end; ++task) {
        offsets.emplace(task, offset);
      }
    }
    EXPECT_EQ(index.done().size(), static_cast<int64_t>(offsets.size()));
    for (int64_t task = 0; task < 230; ++task) {
      const std::optional<SpoolIndex::Entry> entry = index.Find(task);
      ASSERT_EQ(entry.has_value(), offsets.count(task) > 0) << task;
      if (!entry.has_value()) continue;
      for (int64_t t = entry->tasks.begin; t < entry->tasks.end; ++t) {
        ASSERT_EQ(offsets.at(t), entry->position.offset);
      }
    }
  }
}

TEST(SpoolIndexTest, MemoryGrowsWithFramesNotTasks) {
  SpoolIndex index;
  index.Add({0, int64_t{1} << 60}, {});
  index.Add({5, int64_t{1} << 61}, {});
  EXPECT_EQ(index.num_entries(), 2);
  EXPECT_EQ(index.done().size(), int64_t{1} << 61);
}

}  // namespace
}  // namespace internode::scheduler
