#ifndef INTERNODE_CUBE_CF_TIME_H_
#define INTERNODE_CUBE_CF_TIME_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode::cube {

// The units of a time coordinate, of the CF conventions (section 4.4):
// "days since 2010-01-03", with hours, minutes, seconds, milliseconds,
// microseconds and nanoseconds instead of days, and a reference time that may
// have a time of day and an offset from UTC: "1970-01-01T06:30:00.5 -6:00". A
// value; thread-safe.
//
// Calendars: standard and gregorian (Julian before 1582-10-15), the default;
// proleptic_gregorian; julian; noleap and 365_day; all_leap and 366_day;
// 360_day.
class CfTime {
 public:
  // `calendar` may be empty. Errors (kInvalidArgument) for anything else:
  // months and years, which are no fixed lengths of time; dates that the
  // calendar does not have; text that is left over.
  static absl::StatusOr<CfTime> Parse(absl::string_view units,
                                      absl::string_view calendar);

  // The days since 1970-01-01T00:00 UTC that the number `value` of the
  // coordinate means: of the proleptic Gregorian calendar for the real
  // world's calendars (a julian date is the same day there under another
  // name), of the own calendar for noleap, all_leap and 360_day.
  double Days(double value) const;

 private:
  double units_per_day_ = 1;
  int64_t reference_day_ = 0;
  double reference_fraction_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CF_TIME_H_
