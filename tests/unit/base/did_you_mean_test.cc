#include "base/did_you_mean.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace internode {
namespace {

const std::vector<std::string> kDimensions = {"time", "y", "x"};

TEST(NearestNameTest, FindsASlipOfThePen) {
  EXPECT_EQ(NearestName("tim", kDimensions), "time");
  EXPECT_EQ(NearestName("TIME", kDimensions), "time");
  EXPECT_EQ(NearestName("emit", kDimensions), "");
}

TEST(NearestNameTest, IgnoresNamesNotNear) {
  EXPECT_EQ(NearestName("latitude", kDimensions), "");
  EXPECT_EQ(NearestName("", {}), "");
  EXPECT_EQ(NearestName(std::string(100000, 'a'), {std::string(100000, 'a')}),
            "");
}

TEST(WhatExistsTest, ListsAndSuggests) {
  EXPECT_EQ(WhatExists("it has", "tim", kDimensions),
            "it has time, y, x (did you mean 'time'?)");
  EXPECT_EQ(WhatExists("it has", "latitude", kDimensions), "it has time, y, x");
  EXPECT_EQ(WhatExists("it has", "tim", {}), "it has none");
}

TEST(WhatExistsTest, ListsAtMostTwenty) {
  std::vector<std::string> names;
  for (int i = 0; i < 25; ++i) names.push_back("v" + std::to_string(i));
  EXPECT_NE(WhatExists("there are", "qqqqqq", names).find("and 5 more"),
            std::string::npos);
}

}  // namespace
}  // namespace internode
