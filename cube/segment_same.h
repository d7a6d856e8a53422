#ifndef INTERNODE_CUBE_SEGMENT_SAME_H_
#define INTERNODE_CUBE_SEGMENT_SAME_H_

#include <string>

#include "core/record_schema.h"
#include "cube/segment_writer.h"

namespace internode::cube {

// Whether two schemas are the same; a NaN is the same as itself.
bool SameSchema(const core::RecordSchema& a, const core::RecordSchema& b);

// What distinguishes two files of one job's parts, besides the part, the
// history and the attribute job_id: "the attribute 'parameters'". Empty when
// nothing does.
std::string Difference(const SegmentFileSpec& a, const SegmentFileSpec& b);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_SAME_H_
