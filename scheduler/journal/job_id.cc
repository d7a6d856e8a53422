#include "scheduler/journal/job_id.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace internode::scheduler {

std::string FormatJobId(core::JobId job) {
  return absl::StrFormat("j%06d", job.value);
}

absl::StatusOr<core::JobId> ParseJobId(absl::string_view text) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "j");
  int64_t number = 0;
  if (digits.empty() ||
      digits.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(digits, &number) || number < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no job's id; one looks like ",
                     FormatJobId(core::JobId{42})));
  }
  return core::JobId{static_cast<uint64_t>(number)};
}

}  // namespace internode::scheduler
