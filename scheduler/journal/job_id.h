#ifndef INTERNODE_SCHEDULER_JOURNAL_JOB_ID_H_
#define INTERNODE_SCHEDULER_JOURNAL_JOB_ID_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "scheduler/core/ids.h"

namespace internode::scheduler {

// The id of a job as people see it: "j000042". Ids of later jobs sort after
// those of earlier ones, as text too up to the millionth.
std::string FormatJobId(core::JobId job);

// Parses what FormatJobId gives, and the bare number. Errors:
// kInvalidArgument.
absl::StatusOr<core::JobId> ParseJobId(absl::string_view text);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_JOURNAL_JOB_ID_H_
