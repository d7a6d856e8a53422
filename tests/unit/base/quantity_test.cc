#include "base/quantity.h"

#include <gtest/gtest.h>

namespace internode {
namespace {

TEST(ParseBytesTest, AcceptsDecimalAndBinaryUnits) {
  EXPECT_EQ(*ParseBytes("0"), 0);
  EXPECT_EQ(*ParseBytes("64MiB"), 64 << 20);
  EXPECT_EQ(*ParseBytes("1.5 GiB"), 3LL << 29);
  EXPECT_EQ(*ParseBytes("500MB"), 500000000);
  EXPECT_EQ(*ParseBytes("7kb"), 7000);
}

TEST(ParseBytesTest, RefusesTheRest) {
  for (const char* text :
       {"", "MiB", "-1MiB", "1XiB", "9999999999TiB", "1 2"}) {
    EXPECT_FALSE(ParseBytes(text).ok()) << text;
  }
}

TEST(ParseDurationTest, AcceptsCompoundDurations) {
  EXPECT_EQ(*ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("7d"), absl::Hours(168));
  EXPECT_EQ(*ParseDuration("1d12h"), absl::Hours(36));
  EXPECT_EQ(*ParseDuration("250ms"), absl::Milliseconds(250));
}

TEST(ParseDurationTest, RefusesTheRest) {
  for (const char* text : {"", "90", "s", "-3s", "1h-3s", "1w", "1h30"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(FormatTest, ReadsWell) {
  EXPECT_EQ(FormatBytes(17), "17 B");
  EXPECT_EQ(FormatBytes(64 << 20), "64 MiB");
  EXPECT_EQ(FormatBytes(3LL << 29), "1.5 GiB");
  EXPECT_EQ(FormatClock(absl::Seconds(4324)), "01:12:04");
}

}  // namespace
}  // namespace internode
