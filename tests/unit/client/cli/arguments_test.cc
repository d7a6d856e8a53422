#include "client/cli/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace internode::cli {
namespace {

TEST(ParseSizesTest, KeepsTheOrder) {
  EXPECT_EQ(*ParseSizes("--dims", "y=5,x=7"),
            (core::Dimensions{{"y", 5}, {"x", 7}}));
  EXPECT_EQ(*ParseSizes("--dims", "y = 5 , x=0"),
            (core::Dimensions{{"y", 5}, {"x", 0}}));
  EXPECT_TRUE(ParseSizes("--dims", "")->empty());
}

TEST(ParseSizesTest, OtherFormsAreErrorsThatNameTheOption) {
  for (const char* text : {"y", "=5", "y=", "y=a", "y=1.5", "y=5,", ",",
                           "y=99999999999999999999"}) {
    const auto sizes = ParseSizes("--dims", text);
    EXPECT_EQ(sizes.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
    EXPECT_NE(sizes.status().message().find("--dims"), std::string::npos);
  }
}

TEST(ParseChunksTest, KnowsEveryForm) {
  EXPECT_TRUE(std::holds_alternative<AutoChunks>(*ParseChunks("auto")));
  EXPECT_TRUE(std::holds_alternative<NoChunks>(*ParseChunks("none")));
  EXPECT_EQ(std::get<int64_t>(*ParseChunks("100")), 100);
  EXPECT_EQ(std::get<int64_t>(*ParseChunks("-1")), -1);
  EXPECT_EQ(std::get<ChunkMapping>(*ParseChunks("y=1,x=2")),
            (ChunkMapping{{"y", 1}, {"x", 2}}));
  EXPECT_FALSE(ParseChunks("").ok());
  EXPECT_FALSE(ParseChunks("y").ok());
  EXPECT_FALSE(ParseChunks("1e3").ok());
}

TEST(ParseSelectTest, RangesAreHalfOpenAndMayBeOpenEnded) {
  const auto ranges = ParseSelect("y=0:100,x=5,z=3:,w=:4,v=:");
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  const auto expect = [&](size_t i, const char* dim, int64_t begin,
                          int64_t end) {
    EXPECT_EQ((*ranges)[i].dim, dim);
    EXPECT_EQ((*ranges)[i].begin, begin);
    EXPECT_EQ((*ranges)[i].end, end);
  };
  ASSERT_EQ(ranges->size(), 5u);
  expect(0, "y", 0, 100);
  expect(1, "x", 5, 6);
  expect(2, "z", 3, -1);
  expect(3, "w", 0, 4);
  expect(4, "v", 0, -1);
}

TEST(ParseSelectTest, OtherFormsAreErrors) {
  for (const char* text : {"", "y", "y=", "y=a", "y=1:b", "y=1:2:3", "=1:2",
                           "y=1:-1", "y=9223372036854775807"}) {
    EXPECT_FALSE(ParseSelect(text).ok()) << text;
  }
}

TEST(ParseVariablesTest, NamesAndRoles) {
  const auto choices = ParseVariables("qa=cfmask, red,nir");
  ASSERT_TRUE(choices.ok());
  ASSERT_EQ(choices->size(), 3u);
  EXPECT_EQ((*choices)[0].role, "qa");
  EXPECT_EQ((*choices)[0].variable, "cfmask");
  EXPECT_EQ((*choices)[1].role, "");
  EXPECT_EQ((*choices)[1].variable, "red");
  EXPECT_FALSE(ParseVariables("a,,b").ok());
  EXPECT_FALSE(ParseVariables("qa=").ok());
}

TEST(ParseParameterTest, TheValueMayHoldEqualsSigns) {
  EXPECT_EQ(*ParseParameter("key=a=b"),
            (std::pair<std::string, std::string>("key", "a=b")));
  EXPECT_EQ(ParseParameter("key=")->second, "");
  EXPECT_FALSE(ParseParameter("key").ok());
  EXPECT_FALSE(ParseParameter("=value").ok());
}

TEST(ParseDimensionNamesTest, ForAllOrForOneVariable) {
  const auto all = ParseDimensionNames("time,y,x");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->variable, "");
  EXPECT_EQ(all->names, (std::vector<std::string>{"time", "y", "x"}));
  const auto one = ParseDimensionNames("blue=y,x");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->variable, "blue");
  EXPECT_EQ(one->names, (std::vector<std::string>{"y", "x"}));
  EXPECT_FALSE(ParseDimensionNames("").ok());
  EXPECT_FALSE(ParseDimensionNames("y,,x").ok());
}

}  // namespace
}  // namespace internode::cli
