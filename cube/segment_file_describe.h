#ifndef INTERNODE_CUBE_SEGMENT_FILE_DESCRIBE_H_
#define INTERNODE_CUBE_SEGMENT_FILE_DESCRIBE_H_

#include <cstdint>

#include "absl/status/statusor.h"

#include "cube/dataset_list.h"
#include "cube/h5.h"
#include "cube/segment_writer.h"

namespace internode::cube {

struct SegmentFileDescription {
  SegmentFileSpec spec;
  int64_t num_records = 0;
};

// Reads what a segment file says about itself, and checks that all variables
// are there, of the types and shapes that follow from it. Errors, without the
// file's name: kInvalidArgument, it is not a segment file; kDataLoss, it is a
// damaged one.
absl::StatusOr<SegmentFileDescription> DescribeSegmentFile(
    hid_t file, const DatasetList& list)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_FILE_DESCRIBE_H_
