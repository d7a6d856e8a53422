#include "scheduler/core/interval_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>

namespace internode::scheduler::core {
namespace {

TEST(IntervalMapTest, LaterValuesReplaceEarlierOnes) {
  IntervalMap<char> map;
  map.Assign({0, 10}, 'a');
  map.Assign({3, 5}, 'b');
  map.Assign({7, 7}, 'c');
  EXPECT_EQ(*map.Find(2), 'a');
  EXPECT_EQ(*map.Find(3), 'b');
  EXPECT_EQ(*map.Find(5), 'a');
  EXPECT_EQ(map.Find(10), nullptr);
  EXPECT_EQ(map.num_intervals(), 3);
}

TEST(IntervalMapTest, AgreesWithAMapOfIntegers) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    IntervalMap<int> map;
    std::map<int64_t, int> model;
    for (int step = 0; step < 60; ++step) {
      const int64_t begin = static_cast<int64_t>(random() % 50);
      const Interval at = {begin, begin + static_cast<int64_t>(random() % 12)};
      const int value = static_cast<int>(random() % 3);
      const uint32_t kind = random() % 4;
      for (int64_t i = at.begin; i < at.end; ++i) {
        if (kind <= 1) {
          model[i] = value;
        } else if (kind == 2 || (model.contains(i) && model[i] == value)) {
          model.erase(i);
        }
      }
      if (kind <= 1) map.Assign(at, value);
      if (kind == 2) map.Erase(at);
      if (kind == 3) map.EraseValue(at, value);
      std::map<int64_t, int> members;
      for (const auto& [interval, found] : map.all()) {
        ASSERT_LT(interval.begin, interval.end);
        for (int64_t i = interval.begin; i < interval.end; ++i) {
          ASSERT_TRUE(members.emplace(i, found).second);
        }
      }
      ASSERT_EQ(members, model);
      std::map<int64_t, int> within;
      for (const auto& [interval, found] : map.Within(at)) {
        for (int64_t i = interval.begin; i < interval.end; ++i) {
          within[i] = found;
        }
      }
      std::map<int64_t, int> expected(model.lower_bound(at.begin),
                                      model.lower_bound(at.end));
      ASSERT_EQ(within, expected);
      const auto [first, found] = map.First(at);
      ASSERT_EQ(found == nullptr, expected.empty());
      if (found != nullptr) {
        ASSERT_EQ(first.begin, expected.begin()->first);
        ASSERT_EQ(*found, expected.begin()->second);
      }
    }
  }
}

}  // namespace
}  // namespace internode::scheduler::core
