#include "cube/cf_time.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::cube {
namespace {

enum class Calendar {
  kStandard,
  kProlepticGregorian,
  kJulian,
  kNoLeap,
  kAllLeap,
  k360Day,
};

struct CalendarName {
  absl::string_view name;
  Calendar calendar;
};

constexpr std::array<CalendarName, 9> kCalendars = {{
    {"standard", Calendar::kStandard},
    {"gregorian", Calendar::kStandard},
    {"proleptic_gregorian", Calendar::kProlepticGregorian},
    {"julian", Calendar::kJulian},
    {"noleap", Calendar::kNoLeap},
    {"365_day", Calendar::kNoLeap},
    {"all_leap", Calendar::kAllLeap},
    {"366_day", Calendar::kAllLeap},
    {"360_day", Calendar::k360Day},
}};

struct Unit {
  absl::string_view names;  // Separated by spaces.
  double per_day;
};

constexpr std::array<Unit, 7> kUnits = {{
    {"days day d", 1},
    {"hours hour hrs hr h", 24},
    {"minutes minute mins min", 1440},
    {"seconds second secs sec s", 86400},
    {"milliseconds millisecond millisecs millisec msecs msec ms", 86400e3},
    {"microseconds microsecond microsecs microsec", 86400e6},
    {"nanoseconds nanosecond nanosecs nanosec ns", 86400e9},
}};

struct Date {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
};

// Far beyond every use; keeps the arithmetic within its range.
constexpr int64_t kMaxYear = 1000000;

int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - static_cast<int64_t>(a % b != 0 && (a < 0) != (b < 0));
}

bool IsLeap(int64_t year, Calendar calendar) {
  switch (calendar) {
    case Calendar::kJulian:
      return year % 4 == 0;
    case Calendar::kNoLeap:
      return false;
    case Calendar::kAllLeap:
      return true;
    default:
      return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  }
}

int64_t DaysInMonth(const Date& date, Calendar calendar) {
  constexpr std::array<int64_t, 12> kDays = {31, 28, 31, 30, 31, 30,
                                             31, 31, 30, 31, 30, 31};
  if (calendar == Calendar::k360Day) return 30;
  if (date.month == 2 && IsLeap(date.year, calendar)) return 29;
  return kDays[static_cast<size_t>(date.month - 1)];
}

int64_t DayOfYear(const Date& date, Calendar calendar) {
  int64_t day = date.day - 1;
  Date month = date;
  for (month.month = 1; month.month < date.month; ++month.month) {
    day += DaysInMonth(month, calendar);
  }
  return day;
}

// Days from 0000-01-01 of the calendar itself; not for kStandard.
int64_t DaysFromYearZero(const Date& date, Calendar calendar) {
  // Leap years before this one, year 0 among them.
  const int64_t last = date.year - 1;
  int64_t days = DayOfYear(date, calendar);
  switch (calendar) {
    case Calendar::k360Day:
      return days + date.year * 360;
    case Calendar::kNoLeap:
      return days + date.year * 365;
    case Calendar::kAllLeap:
      return days + date.year * 366;
    case Calendar::kJulian:
      return days + date.year * 365 + FloorDivide(last, 4) + 1;
    default:
      return days + date.year * 365 + FloorDivide(last, 4) -
             FloorDivide(last, 100) + FloorDivide(last, 400) + 1;
  }
}

constexpr Date kEpoch = {1970, 1, 1};

int64_t DaysFromEpoch(const Date& date, Calendar calendar) {
  if (calendar == Calendar::kJulian) {
    // 1970-01-01 is the Julian calendar's 1969-12-19.
    return DaysFromYearZero(date, calendar) -
           DaysFromYearZero({1969, 12, 19}, calendar);
  }
  return DaysFromYearZero(date, calendar) - DaysFromYearZero(kEpoch, calendar);
}

bool IsBefore(const Date& a, const Date& b) {
  if (a.year != b.year) return a.year < b.year;
  if (a.month != b.month) return a.month < b.month;
  return a.day < b.day;
}

// Takes the digits at the start of `text`; at least one, at most `max_digits`.
std::optional<int64_t> TakeNumber(absl::string_view* text, size_t max_digits) {
  size_t digits = 0;
  while (digits < text->size() && digits < max_digits &&
         absl::ascii_isdigit(static_cast<unsigned char>((*text)[digits]))) {
    ++digits;
  }
  int64_t number = 0;
  if (digits == 0 || !absl::SimpleAtoi(text->substr(0, digits), &number)) {
    return std::nullopt;
  }
  text->remove_prefix(digits);
  return number;
}

std::optional<Date> TakeDate(absl::string_view* text) {
  const bool negative = absl::ConsumePrefix(text, "-");
  if (!negative) absl::ConsumePrefix(text, "+");
  const std::optional<int64_t> year = TakeNumber(text, 7);
  if (!year.has_value() || !absl::ConsumePrefix(text, "-")) return {};
  const std::optional<int64_t> month = TakeNumber(text, 2);
  if (!month.has_value() || !absl::ConsumePrefix(text, "-")) return {};
  const std::optional<int64_t> day = TakeNumber(text, 2);
  if (!day.has_value()) return {};
  return Date{negative ? -*year : *year, *month, *day};
}

// hh[:mm[:ss[.fff]]] as seconds.
std::optional<double> TakeTimeOfDay(absl::string_view* text) {
  const std::optional<int64_t> hour = TakeNumber(text, 2);
  if (!hour.has_value() || *hour > 23) return {};
  if (!absl::ConsumePrefix(text, ":")) return static_cast<double>(*hour * 3600);
  const std::optional<int64_t> minute = TakeNumber(text, 2);
  if (!minute.has_value() || *minute > 59) return {};
  const int64_t minutes = *hour * 60 + *minute;
  if (!absl::ConsumePrefix(text, ":")) return static_cast<double>(minutes * 60);
  const std::optional<int64_t> second = TakeNumber(text, 2);
  if (!second.has_value() || *second > 59) return {};
  double seconds = static_cast<double>(minutes * 60 + *second);
  if (absl::ConsumePrefix(text, ".")) {
    size_t digits = 0;
    while (digits < text->size() &&
           absl::ascii_isdigit(static_cast<unsigned char>((*text)[digits]))) {
      ++digits;
    }
    double fraction = 0;
    if (digits > 0 &&
        !absl::SimpleAtod(absl::StrCat("0.", text->substr(0, digits)),
                          &fraction)) {
      return {};
    }
    text->remove_prefix(digits);
    seconds += fraction;
  }
  return seconds;
}

// Z, UTC, GMT, +hh, +hhmm, +h:mm as seconds east of UTC.
std::optional<double> TakeOffset(absl::string_view* text) {
  for (absl::string_view utc : {"Z", "z", "UTC", "utc", "GMT", "gmt"}) {
    if (absl::ConsumePrefix(text, utc)) return 0;
  }
  double sign = 1;
  if (absl::ConsumePrefix(text, "-")) {
    sign = -1;
  } else if (!absl::ConsumePrefix(text, "+")) {
    return {};
  }
  const std::optional<int64_t> hours = TakeNumber(text, 2);
  if (!hours.has_value() || *hours > 23) return {};
  int64_t minutes = 0;
  if (absl::ConsumePrefix(text, ":") || !text->empty()) {
    const std::optional<int64_t> taken = TakeNumber(text, 2);
    if (!taken.has_value() || *taken > 59) return {};
    minutes = *taken;
  }
  return sign * static_cast<double>(*hours * 3600 + minutes * 60);
}

absl::StatusOr<Calendar> ParseCalendar(absl::string_view name) {
  if (name.empty()) return Calendar::kStandard;
  const std::string lower = absl::AsciiStrToLower(name);
  std::vector<std::string> names;
  for (const CalendarName& entry : kCalendars) {
    if (entry.name == lower) return entry.calendar;
    names.emplace_back(entry.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", name, "' is not a calendar; ",
                   WhatExists("there are", name, names)));
}

absl::StatusOr<double> ParseUnit(absl::string_view name,
                                 absl::string_view units) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const Unit& unit : kUnits) {
    for (absl::string_view known : absl::StrSplit(unit.names, ' ')) {
      if (known == lower) return unit.per_day;
    }
  }
  if (absl::StartsWith(lower, "month") || absl::StartsWith(lower, "year")) {
    return absl::InvalidArgumentError(
        absl::StrCat("units '", units, "': ", lower,
                     " have no fixed length; days, hours, minutes or seconds "
                     "can be decoded"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "units '", units, "': '", name,
      "' is not a unit of time; there are days, hours, minutes, seconds, "
      "milliseconds, microseconds"));
}

absl::Status BadReference(absl::string_view units, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("units '", units, "': ", why));
}

// The day number of the reference date, after checking that it exists.
absl::StatusOr<int64_t> ReferenceDay(Date date, Calendar calendar,
                                     absl::string_view units) {
  if (date.year > kMaxYear || date.year < -kMaxYear) {
    return BadReference(units, "the reference year is out of range");
  }
  // The real calendars of old have no year 0: the year -1 comes before 1.
  if (calendar == Calendar::kStandard || calendar == Calendar::kJulian) {
    if (date.year == 0) {
      return BadReference(units, "the calendar has no year 0");
    }
    if (date.year < 0) ++date.year;
  }
  constexpr Date kFirstGregorian = {1582, 10, 15};
  constexpr Date kAfterLastJulian = {1582, 10, 5};
  if (calendar == Calendar::kStandard) {
    if (!IsBefore(date, kFirstGregorian)) {
      calendar = Calendar::kProlepticGregorian;
    } else if (IsBefore(date, kAfterLastJulian)) {
      calendar = Calendar::kJulian;
    } else {
      return BadReference(
          units, "the standard calendar has no 1582-10-05 to 1582-10-14");
    }
  }
  if (date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > DaysInMonth(date, calendar)) {
    return BadReference(units, "the calendar has no such day");
  }
  return DaysFromEpoch(date, calendar);
}

}  // namespace

absl::StatusOr<CfTime> CfTime::Parse(absl::string_view units,
                                     absl::string_view calendar_name) {
  INTERNODE_ASSIGN_OR_RETURN(const Calendar calendar,
                             ParseCalendar(calendar_name));
  absl::string_view rest = absl::StripAsciiWhitespace(units);
  const size_t unit_end = rest.find_first_of(" \t");
  const absl::string_view unit = rest.substr(0, unit_end);
  rest.remove_prefix(unit.size());
  rest = absl::StripLeadingAsciiWhitespace(rest);
  if (unit.empty() || rest.size() < 6 ||
      !absl::EqualsIgnoreCase(rest.substr(0, 5), "since") ||
      !absl::ascii_isspace(static_cast<unsigned char>(rest[5]))) {
    return BadReference(units,
                        "not of the form 'days since 1970-01-01 00:00:00'");
  }
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(5));
  CfTime time;
  INTERNODE_ASSIGN_OR_RETURN(time.units_per_day_, ParseUnit(unit, units));
  const std::optional<Date> date = TakeDate(&rest);
  if (!date.has_value()) {
    return BadReference(units, "no reference date of the form 1970-01-01");
  }
  INTERNODE_ASSIGN_OR_RETURN(time.reference_day_,
                             ReferenceDay(*date, calendar, units));
  double seconds = 0;
  const auto skip_space = [&rest] {
    const bool any = !rest.empty() && rest[0] == ' ';
    rest = absl::StripLeadingAsciiWhitespace(rest);
    return any;
  };
  bool separated = skip_space();
  if (!separated) {
    separated =
        absl::ConsumePrefix(&rest, "T") || absl::ConsumePrefix(&rest, "t");
  }
  if (separated && !rest.empty() &&
      absl::ascii_isdigit(static_cast<unsigned char>(rest[0]))) {
    const std::optional<double> time_of_day = TakeTimeOfDay(&rest);
    if (!time_of_day.has_value()) {
      return BadReference(units, "no time of day of the form 00:00:00");
    }
    seconds = *time_of_day;
  }
  skip_space();
  if (!rest.empty()) {
    const std::optional<double> offset = TakeOffset(&rest);
    skip_space();
    if (!offset.has_value() || !rest.empty()) {
      return BadReference(units, "there is text after the reference time");
    }
    seconds -= *offset;
  }
  time.reference_fraction_ = seconds / 86400;
  return time;
}

double CfTime::Days(double value) const {
  // Whole days and the rest apart: a large number of days would swallow the
  // last digits of the time of day.
  const double rest = std::fmod(value, units_per_day_);
  const double whole = (value - rest) / units_per_day_;
  return (static_cast<double>(reference_day_) + whole) +
         (rest / units_per_day_ + reference_fraction_);
}

}  // namespace internode::cube
