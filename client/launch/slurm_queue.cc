#include "client/launch/slurm_queue.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "client/launch/slurm_time.h"

namespace internode::launch {
namespace {

// States in which a job has, or will have, a worker.
constexpr absl::string_view kRunning[] = {"RUNNING", "CONFIGURING", "SUSPENDED",
                                          "STOPPED", "SIGNALING",   "STAGE_OUT",
                                          "RESIZING"};
constexpr absl::string_view kPending[] = {"PENDING",      "REQUEUED",
                                          "REQUEUE_FED",  "RESV_DEL_HOLD",
                                          "REQUEUE_HOLD", "SPECIAL_EXIT"};

template <size_t kCount>
bool IsOneOf(absl::string_view text, const absl::string_view (&names)[kCount]) {
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

}  // namespace

std::vector<std::string> SqueueWords(absl::string_view job_name,
                                     absl::string_view user) {
  return {"squeue",
          "--noheader",
          "--array",
          absl::StrCat("--name=", job_name),
          absl::StrCat("--user=", user),
          "--format=%i|%T|%L"};
}

absl::StatusOr<std::vector<SlurmJob>> ParseSqueue(absl::string_view text) {
  std::vector<SlurmJob> jobs;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '|');
    if (fields.size() != 3 || fields[0].empty()) {
      return absl::InternalError(
          absl::StrCat("squeue answered with '", line.substr(0, 200), "'"));
    }
    const bool pending = IsOneOf(fields[1], kPending);
    if (!pending && !IsOneOf(fields[1], kRunning)) continue;
    SlurmJob& job = jobs.emplace_back();
    job.id = std::string(fields[0]);
    job.pending = pending;
    // INVALID, NOT_SET: not known.
    if (const auto left = ParseSlurmTime(fields[2]); left.ok()) {
      job.left = *left;
    }
  }
  return jobs;
}

}  // namespace internode::launch
