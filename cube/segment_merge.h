#ifndef INTERNODE_CUBE_SEGMENT_MERGE_H_
#define INTERNODE_CUBE_SEGMENT_MERGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace internode::cube {

struct SegmentMergeOptions {
  bool overwrite = false;
  // Called now and then with chunks done and chunks in all.
  std::function<void(int64_t, int64_t)> progress;
};

// Joins the parts of a job (SegmentFileSpec::part), given in any order, into
// the file that one run would have written: the same bytes, where the run has
// the history and job_id of the first part. Memory as SegmentWriter, and one
// storage chunk of records.
//
// Errors: kInvalidArgument, a file is not a part, parts are of different jobs
// (other schema, grid, coordinates or attributes but history and job_id), two
// parts overlap, a part is missing; those of SegmentReader and SegmentWriter.
absl::Status MergeSegmentFiles(const std::vector<std::string>& parts,
                               absl::string_view out,
                               const SegmentMergeOptions& options);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_MERGE_H_
