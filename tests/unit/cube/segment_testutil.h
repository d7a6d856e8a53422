#ifndef INTERNODE_TESTS_UNIT_CUBE_SEGMENT_TESTUTIL_H_
#define INTERNODE_TESTS_UNIT_CUBE_SEGMENT_TESTUTIL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "core/block_result.h"
#include "core/chunk_grid.h"
#include "cube/segment_writer.h"

namespace internode::cube {

// A schema like CCDC's: scalars, dates with a fill value, and sub-arrays of
// bands and of bands and coefficients.
std::shared_ptr<const core::RecordSchema> SegmentSchema();

// A file of `rows` times `columns` pixels, in an Albers projection: pixel
// centres 30 m apart, y from 1964790 down, x from -2115570 up.
SegmentFileSpec GridSpec(int64_t rows, int64_t columns, int64_t chunk);

// A file of `samples` pixels along sample_id.
SegmentFileSpec SampleSpec(int64_t samples, int64_t chunk);

// What a function might report for a chunk, from the pixels' places alone: 0 to
// 3 records per pixel, every status, and values by which their pixel can be
// told. `per_pixel` multiplies the number of records.
core::BlockResult MakeResult(const SegmentFileSpec& spec, int64_t chunk,
                             int per_pixel = 1);

// Writes the chunks of spec.part, or all.
absl::Status WriteSegments(const std::string& path, const SegmentFileSpec& spec,
                           int per_pixel = 1);

std::string ReadBytes(const std::string& path);

}  // namespace internode::cube

#endif  // INTERNODE_TESTS_UNIT_CUBE_SEGMENT_TESTUTIL_H_
