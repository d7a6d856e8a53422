#include "cube/cf_time.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::cube {
namespace {

using ::testing::HasSubstr;

double Days(const char* units, const char* calendar, double value) {
  const auto time = CfTime::Parse(units, calendar);
  EXPECT_TRUE(time.ok()) << time.status();
  return time.ok() ? time->Days(value) : -1;
}

std::string Error(const char* units, const char* calendar) {
  const auto time = CfTime::Parse(units, calendar);
  EXPECT_FALSE(time.ok()) << units;
  return std::string(time.status().message());
}

TEST(CfTimeTest, CountsDaysInTheWorldsCalendars) {
  EXPECT_EQ(Days("days since 1970-01-01", "", 0), 0);
  EXPECT_EQ(Days("days since 2010-01-03", "proleptic_gregorian", 2), 14614);
  // 1582-10-04 is followed by 1582-10-15 in the standard calendar.
  EXPECT_EQ(Days("days since 1582-10-04", "standard", 1),
            Days("days since 1582-10-15", "gregorian", 0));
  EXPECT_EQ(Days("days since 1969-12-19", "julian", 0), 0);
  EXPECT_EQ(Days("days since 2000-03-01", "noleap", 0), 30 * 365 + 59);
  EXPECT_EQ(Days("days since 2000-03-01", "366_day", 0), 30 * 366 + 60);
  EXPECT_EQ(Days("days since 2000-03-01", "360_day", 0), 30 * 360 + 60);
}

TEST(CfTimeTest, KnowsUnitsAndTimesOfDay) {
  EXPECT_EQ(Days("hours since 1970-01-01", "", 36), 1.5);
  EXPECT_EQ(Days("Seconds since 1970-1-1 12:00", "", 43200), 1);
  EXPECT_EQ(Days("microseconds since 1970-01-01T06:00:00Z", "", 21600e6), 0.5);
  EXPECT_EQ(Days("days since 1970-01-01 00:00:00.0 -6:00", "", 0), 0.25);
  EXPECT_EQ(Days("days since 1970-01-01 00:00 +0530", "", 0), -5.5 / 24);
}

TEST(CfTimeTest, RefusesWhatItWouldHaveToGuess) {
  EXPECT_THAT(Error("months since 2000-01-01", ""),
              HasSubstr("months have no fixed length"));
  EXPECT_THAT(Error("years since 2000-01-01", ""),
              HasSubstr("years have no fixed length"));
  EXPECT_THAT(Error("metres", ""), HasSubstr("not of the form"));
  EXPECT_THAT(Error("", ""), HasSubstr("not of the form"));
  EXPECT_THAT(Error("weeks since 2000-01-01", ""),
              HasSubstr("'weeks' is not a unit of time"));
  EXPECT_THAT(Error("days since 2001-02-29", ""), HasSubstr("no such day"));
  EXPECT_THAT(Error("days since 2000-02-29", "noleap"),
              HasSubstr("no such day"));
  EXPECT_THAT(Error("days since 1582-10-10", ""), HasSubstr("1582-10-05"));
  EXPECT_THAT(Error("days since 2000-01-01 noon", ""), HasSubstr("text after"));
  EXPECT_THAT(Error("days since 2000-01-01", "gregorain"),
              HasSubstr("did you mean 'gregorian'"));
  EXPECT_THAT(Error("days since 99999999-01-01", ""),
              HasSubstr("no reference date"));
}

}  // namespace
}  // namespace internode::cube
