#include "client/launch/slurm_time.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace internode::launch {
namespace {

constexpr int64_t kMostDays = 10'000;

absl::Status NoTime(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "'", text,
      "' is no time; write [DAYS-]HOURS:MINUTES:SECONDS or MINUTES"));
}

// Digits alone: no sign, no blank.
bool ParseCount(absl::string_view text, int64_t* count) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return absl::SimpleAtoi(text, count) && *count <= kMostDays * 24 * 3600;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseSlurmTime(absl::string_view text) {
  if (text == "UNLIMITED" || text == "infinite") {
    return absl::InfiniteDuration();
  }
  const std::vector<absl::string_view> halves = absl::StrSplit(text, '-');
  const bool has_days = halves.size() == 2;
  if (halves.size() > 2) return NoTime(text);
  int64_t days = 0;
  if (has_days && !ParseCount(halves.front(), &days)) return NoTime(text);
  std::vector<int64_t> counts;
  for (const absl::string_view part : absl::StrSplit(halves.back(), ':')) {
    if (!ParseCount(part, &counts.emplace_back())) return NoTime(text);
  }
  if (counts.size() > 3) return NoTime(text);
  // Which unit the first number has.
  absl::Duration unit =
      has_days || counts.size() == 3 ? absl::Hours(1) : absl::Minutes(1);
  absl::Duration sum = absl::Hours(24) * days;
  for (const int64_t count : counts) {
    sum += unit * count;
    unit = unit / 60;
  }
  if (sum > absl::Hours(24) * kMostDays) return NoTime(text);
  return sum;
}

std::string FormatSlurmTime(absl::Duration duration) {
  const int64_t seconds =
      absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
  return absl::StrFormat("%d-%02d:%02d:%02d", seconds / 86400,
                         seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

}  // namespace internode::launch
