#include "base/quantity.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace internode {
namespace {

constexpr std::array<std::pair<absl::string_view, double>, 10> kByteUnits = {{
    {"", 1.0},
    {"B", 1.0},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
}};

// Splits "64MiB" into 64 and "MiB".
bool SplitNumber(absl::string_view text, double* number,
                 absl::string_view* rest) {
  size_t length = 0;
  while (length < text.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[length])) ||
          text[length] == '.')) {
    ++length;
  }
  *rest = absl::StripAsciiWhitespace(text.substr(length));
  return length > 0 && absl::SimpleAtod(text.substr(0, length), number);
}

}  // namespace

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  double number = 0;
  absl::string_view unit;
  if (SplitNumber(absl::StripAsciiWhitespace(text), &number, &unit)) {
    for (const auto& [name, factor] : kByteUnits) {
      if (!absl::EqualsIgnoreCase(unit, name)) continue;
      const double bytes = number * factor;
      if (bytes >= 9.2e18) break;
      return static_cast<int64_t>(std::llround(bytes));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text, "' is not a size; write for example 64MiB, 1.5GiB or 500MB"));
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration total = absl::ZeroDuration();
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  bool any = false;
  while (!rest.empty()) {
    const size_t unit_begin = rest.find_first_not_of("0123456789.");
    if (unit_begin == absl::string_view::npos || unit_begin == 0) break;
    const size_t unit_end = rest.find_first_of("0123456789.", unit_begin);
    const absl::string_view part = rest.substr(0, unit_end);
    absl::Duration duration;
    double days = 0;
    if (absl::EndsWith(part, "d") &&
        absl::SimpleAtod(part.substr(0, part.size() - 1), &days)) {
      duration = absl::Hours(24) * days;
    } else if (!absl::ParseDuration(std::string(part), &duration)) {
      break;
    }
    total += duration;
    any = true;
    rest = unit_end == absl::string_view::npos ? absl::string_view()
                                               : rest.substr(unit_end);
  }
  if (!any || !rest.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text,
                     "' is not a duration; write for example 90s, 1h30m or "
                     "7d"));
  }
  return total;
}

std::string FormatBytes(int64_t bytes) {
  constexpr std::array<absl::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB",
                                                       "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  if (value == std::floor(value)) {
    return absl::StrFormat("%.0f %s", value, kUnits[unit]);
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatClock(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  return absl::StrFormat("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                         seconds % 60);
}

}  // namespace internode
