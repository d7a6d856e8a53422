#include "base/round_up.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace internode {
namespace {

TEST(RoundUpTest, IsTheFirstMultipleFromThereOn) {
  EXPECT_EQ(RoundUp(0, 8), 0);
  EXPECT_EQ(RoundUp(1, 8), 8);
  EXPECT_EQ(RoundUp(8, 8), 8);
  EXPECT_EQ(RoundUp(9, 1), 9);
}

TEST(RoundUpTest, DoesNotOverflowOnTheWay) {
  EXPECT_EQ(RoundUp(INT64_MAX, INT64_MAX), INT64_MAX);
  EXPECT_EQ(RoundUp(INT64_MAX - 1, INT64_MAX), INT64_MAX);
}

}  // namespace
}  // namespace internode
