#include "scheduler/access/attempt_budget.h"

#include <random>

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(AttemptBudgetTest, SoManyAtOnceThenOneEachTime) {
  AttemptBudget budget(3, absl::Seconds(10));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.Take(kNow)) << i;
  EXPECT_FALSE(budget.Take(kNow));
  EXPECT_FALSE(budget.Take(kNow + absl::Seconds(9)));
  EXPECT_TRUE(budget.Take(kNow + absl::Seconds(10)));
  EXPECT_FALSE(budget.Take(kNow + absl::Seconds(19)));
  EXPECT_TRUE(budget.Take(kNow + absl::Seconds(20)));
  EXPECT_EQ(budget.TakeDenied(), 3);
  EXPECT_EQ(budget.TakeDenied(), 0);
}

TEST(AttemptBudgetTest, IsWholeAgainAfterAQuietTime) {
  AttemptBudget budget(3, absl::Seconds(10));
  for (int i = 0; i < 5; ++i) budget.Take(kNow);
  int taken = 0;
  for (int i = 0; i < 10; ++i) {
    taken += budget.Take(kNow + absl::Hours(10)) ? 1 : 0;
  }
  EXPECT_EQ(taken, 3);
}

TEST(AttemptBudgetTest, AClockThatGoesBackGivesNothing) {
  AttemptBudget budget(2, absl::Seconds(10));
  EXPECT_TRUE(budget.Take(kNow));
  EXPECT_TRUE(budget.Take(kNow - absl::Hours(1)));
  EXPECT_FALSE(budget.Take(kNow - absl::Hours(2)));
}

// Whatever the times: never more than the rate allows.
TEST(AttemptBudgetTest, NeverMoreThanTheRate) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    const int64_t most = 1 + static_cast<int64_t>(random() % 10);
    AttemptBudget budget(most, absl::Milliseconds(100));
    absl::Time now = kNow;
    int64_t taken = 0;
    for (int i = 0; i < 500; ++i) {
      now += absl::Milliseconds(static_cast<int64_t>(random() % 60));
      taken += budget.Take(now) ? 1 : 0;
      const int64_t passed = (now - kNow) / absl::Milliseconds(100);
      ASSERT_LE(taken, most + passed + 1) << seed;
    }
    EXPECT_GE(taken, most);
  }
}

}  // namespace
}  // namespace internode::scheduler
