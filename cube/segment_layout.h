#ifndef INTERNODE_CUBE_SEGMENT_LAYOUT_H_
#define INTERNODE_CUBE_SEGMENT_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/record_schema.h"
#include "cube/segment_writer.h"

// What the writer and the reader of segment files agree on: which names and
// shapes the variables have. Pure.
namespace internode::cube {

// The variables about one of the grid's dimensions.
struct SegmentAxis {
  std::string dim;
  // "y", "x", or the dimension's own name.
  std::string role;
  // py, px, or p<dim>: where in the cube a record's pixel is.
  std::string index_column;
  // segment_y or segment_x: the pixel's coordinate. Empty without one.
  std::string coordinate_column;
  // Null when the cube has none for the dimension.
  const core::CoordinateInfo* coordinate = nullptr;
};

struct SegmentLayout {
  std::vector<SegmentAxis> axes;
  // Records are points: both y and x have coordinates.
  bool has_points = false;
  // Points, and the cube has a grid mapping.
  bool has_crs = false;
  // One dimension that is neither y nor x: a contiguous ragged array.
  bool is_samples = false;
  // segment_count, or row_size for samples.
  std::string count_name;
  // All names that are not the schema's, and not those of its dimensions.
  std::vector<std::string> own_names;
};

inline constexpr absl::string_view kSegmentDim = "segment";
inline constexpr absl::string_view kFirstName = "segment_first";
inline constexpr absl::string_view kStatusName = "pixel_status";
inline constexpr absl::string_view kGridMappingName = "crs";
inline constexpr absl::string_view kGeometryName = "segment_geometry";
inline constexpr absl::string_view kChunkGridAttribute = "chunk_grid";
inline constexpr absl::string_view kPartAttribute = "part";
inline constexpr absl::string_view kPartChunksAttribute = "part_chunks";

// Refers to `spec`'s coordinates.
SegmentLayout MakeSegmentLayout(const SegmentFileSpec& spec);

// Errors as SegmentWriter::Create.
absl::Status CheckSegmentFileSpec(const SegmentFileSpec& spec,
                                  const SegmentLayout& layout);

// Records per storage chunk of the columns, for rows of `row_bytes` bytes.
int64_t RecordsPerStorageChunk(int64_t row_bytes);

// The storage chunk of a column whose field has the given shape: all of the
// last axis, and one element of those before it, because people read one band.
std::vector<int64_t> ColumnStorageChunk(int64_t records,
                                        const std::vector<int64_t>& shape);

// The storage chunk of the variables over the grid's dimensions.
std::vector<int64_t> IndexStorageChunk(const core::Dimensions& dims);

// The grid as the attribute chunk_grid holds it (JSON), and back.
std::string ChunkGridToText(const core::ChunkGrid& grid);
absl::StatusOr<core::ChunkGrid> ChunkGridFromText(absl::string_view text);

// `attributes` without those called as one of `names`.
core::Attributes Without(const core::Attributes& attributes,
                         const std::vector<absl::string_view>& names);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_LAYOUT_H_
