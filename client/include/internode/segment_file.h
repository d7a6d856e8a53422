#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_SEGMENT_FILE_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_SEGMENT_FILE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "internode/executor.h"
#include "internode/job.h"
#include "internode/job_handle.h"

namespace internode {

struct SegmentFileOptions {
  bool overwrite = false;
  // Runs the part_id-th (from 1) of part_total contiguous parts of the chunks.
  int64_t part_id = 1;
  int64_t part_total = 1;
  // See RunOptions.
  const std::atomic<bool>* cancel = nullptr;
  // Called after each chunk with the sums so far.
  std::function<void(const JobSummary&)> progress;
};

// Runs `job` and writes its records to a segment file as they come in order,
// in bounded memory. The same job gives the same bytes whatever the executor
// and its workers; the parts of a job, merged, give those of one run. There is
// no file at `path`, or the old one, until it is complete.
//
// Errors: those of Executor::RunJob; kAlreadyExists without `overwrite`;
// kInvalidArgument for a bad part, a job of explicit selections, or a path
// that cannot be a file;
// kFailedPrecondition without permission; kResourceExhausted for a full disk.
absl::StatusOr<JobSummary> WriteSegmentFile(const Job& job, Executor* executor,
                                            const std::string& path,
                                            const SegmentFileOptions& options);

// Writes the same file from the results of a job that a scheduler runs, or
// ran: waits for those that are not there yet. When it is cancelled, the job
// goes on. Errors: also those of JobHandle::Fetch.
absl::StatusOr<JobSummary> WriteSegmentFile(const JobHandle& handle,
                                            const std::string& path,
                                            const SegmentFileOptions& options);

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_SEGMENT_FILE_H_
