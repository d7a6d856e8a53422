#include "core/interval_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace internode::core {
namespace {

using Intervals = std::vector<Interval>;

TEST(IntervalSetTest, JoinsWhatTouches) {
  IntervalSet set;
  set.Add({0, 2});
  set.Add({4, 6});
  EXPECT_EQ(set.intervals(), (Intervals{{0, 2}, {4, 6}}));
  set.Add({2, 4});
  EXPECT_EQ(set.intervals(), (Intervals{{0, 6}}));
  EXPECT_EQ(set.size(), 6);
}

TEST(IntervalSetTest, SplitsWhereMembersAreRemoved) {
  IntervalSet set({0, 10});
  set.Remove({3, 5});
  EXPECT_EQ(set.intervals(), (Intervals{{0, 3}, {5, 10}}));
  set.Remove({-5, 1});
  set.Remove({9, 20});
  EXPECT_EQ(set.intervals(), (Intervals{{1, 3}, {5, 9}}));
  set.Remove({2, 6});
  EXPECT_EQ(set.intervals(), (Intervals{{1, 2}, {6, 9}}));
}

TEST(IntervalSetTest, EmptyIntervalsChangeNothing) {
  IntervalSet set({0, 3});
  set.Add({7, 7});
  set.Add({9, 8});
  set.Remove({1, 1});
  set.Remove({2, 1});
  EXPECT_EQ(set.intervals(), (Intervals{{0, 3}}));
  EXPECT_TRUE(set.ContainsAll({50, 50}));
}

TEST(IntervalSetTest, FindsTheNextRun) {
  IntervalSet set({2, 4});
  set.Add({8, 9});
  EXPECT_EQ(set.NextFrom(0), (Interval{2, 4}));
  EXPECT_EQ(set.NextFrom(3), (Interval{3, 4}));
  EXPECT_EQ(set.NextFrom(4), (Interval{8, 9}));
  EXPECT_EQ(set.NextFrom(9), std::nullopt);
  EXPECT_EQ(IntervalSet().First(), std::nullopt);
}

TEST(IntervalSetTest, TakesFromBothEnds) {
  IntervalSet set({0, 10});
  set.Remove({7, 8});
  EXPECT_EQ(set.TakeFront(3), (Interval{0, 3}));
  EXPECT_EQ(set.TakeBack(5), (Interval{8, 10}));
  EXPECT_EQ(set.TakeBack(1), (Interval{6, 7}));
  EXPECT_EQ(set.TakeFront(100), (Interval{3, 6}));
  EXPECT_EQ(set.TakeFront(1), std::nullopt);
  EXPECT_EQ(set.TakeBack(1), std::nullopt);
  EXPECT_EQ(IntervalSet({0, 1}).TakeFront(0), std::nullopt);
}

TEST(IntervalSetTest, MemoryGrowsWithGapsNotWithMembers) {
  IntervalSet set({0, 100000000});
  EXPECT_EQ(set.size(), 100000000);
  EXPECT_EQ(set.num_intervals(), 1);
}

// The members of `set`, one by one.
std::set<int64_t> Members(const IntervalSet& set) {
  std::set<int64_t> members;
  for (const Interval& run : set.intervals()) {
    for (int64_t i = run.begin; i < run.end; ++i) members.insert(i);
  }
  return members;
}

TEST(IntervalSetTest, AgreesWithASetOfIntegers) {
  std::mt19937 random(11);
  int64_t most_runs = 0;
  for (int round = 0; round < 200; ++round) {
    IntervalSet set;
    std::set<int64_t> model;
    // Some rounds leave few runs, some many.
    const uint32_t most_members = round % 2 == 0 ? 12 : 3;
    for (int step = 0; step < 100; ++step) {
      const int64_t begin = static_cast<int64_t>(random() % 50);
      const Interval interval = {
          begin, begin + static_cast<int64_t>(random() % most_members)};
      const bool add = random() % 2 == 0;
      for (int64_t i = interval.begin; i < interval.end; ++i) {
        if (add) {
          model.insert(i);
        } else {
          model.erase(i);
        }
      }
      add ? set.Add(interval) : set.Remove(interval);
      ASSERT_EQ(Members(set), model);
      ASSERT_EQ(set.size(), static_cast<int64_t>(model.size()));

      const Interval asked = {static_cast<int64_t>(random() % 50),
                              static_cast<int64_t>(random() % 60)};
      int64_t within = 0;
      for (int64_t i = asked.begin; i < asked.end; ++i) {
        ASSERT_EQ(set.Contains(i), model.contains(i));
        within += model.contains(i) ? 1 : 0;
      }
      ASSERT_EQ(set.CountWithin(asked), within);
      const int64_t length = std::max<int64_t>(0, asked.size());
      ASSERT_EQ(set.Missing(asked).size(), length - within);
      ASSERT_EQ(set.ContainsAll(asked), within == length);
      ASSERT_EQ(set.Intersection(asked).size(), within);
      ASSERT_EQ(set.num_intervals(),
                static_cast<int64_t>(set.intervals().size()));
      most_runs = std::max(most_runs, set.num_intervals());
      for (size_t i = 1; i < set.intervals().size(); ++i) {
        ASSERT_GT(set.intervals()[i].begin, set.intervals()[i - 1].end);
      }
    }
  }
  EXPECT_GT(most_runs, 13);
}

TEST(IntervalSetTest, AddsAndRemovesWholeSets) {
  IntervalSet a({0, 5});
  IntervalSet b({3, 8});
  b.Add({20, 21});
  a.Add(b);
  EXPECT_EQ(a.intervals(), (Intervals{{0, 8}, {20, 21}}));
  a.Remove(b);
  EXPECT_EQ(a.intervals(), (Intervals{{0, 3}}));
  a.Clear();
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a, IntervalSet());
}

}  // namespace
}  // namespace internode::core
