#ifndef INTERNODE_CUBE_SEGMENT_INDEX_WRITER_H_
#define INTERNODE_CUBE_SEGMENT_INDEX_WRITER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "core/dimension.h"
#include "cube/netcdf_writer.h"
#include "cube/segment_index.h"
#include "cube/segment_layout.h"

namespace internode::cube {

// Writes the variables over the grid's dimensions, a row of storage chunks at
// a time; storage chunks in which no pixel was processed are left out.
// Thread-compatible.
class SegmentIndexWriter {
 public:
  static constexpr int kDeflate = 1;

  // `file` and `layout` must outlive the object.
  SegmentIndexWriter(NetcdfWriter* file, const SegmentLayout* layout,
                     const core::Dimensions& dims);

  absl::Status AddVariables();
  absl::Status Write(SegmentIndex* index);

 private:
  // One variable, and its numbers in the row of storage chunks at hand: row
  // after row of all columns in full width.
  struct Plane {
    int variable = 0;
    size_t number_bytes = 1;
    // What pixels that are not there have.
    int64_t none = 0;
    std::vector<uint8_t> band;
  };

  absl::Status AddPlane(const std::string& name, core::DataType type,
                        int64_t none, const core::Attributes& attributes);
  void HoldRow(const SegmentIndex::Row& row, int64_t band_row);
  void ClearBand();
  // The row of storage chunks that begins at `first_row`.
  absl::Status WriteBand(int64_t first_row);
  absl::Status WriteTile(int64_t first_row, const std::vector<int64_t>& offset);
  // Copies the storage chunk at `offset`, padded where it goes beyond the
  // dimensions.
  void CopyTile(const Plane& plane, const std::vector<int64_t>& offset,
                std::vector<uint8_t>* tile) const;

  NetcdfWriter* const file_;
  const SegmentLayout* const layout_;
  // At least one: a grid without dimensions is written as one pixel.
  const core::Dimensions dims_;
  const bool is_scalar_;
  const std::vector<int64_t> chunk_;
  // Pixels of one row of the first dimension.
  int64_t width_ = 1;
  // segment_count, segment_first, pixel_status.
  std::vector<Plane> planes_;
  ChunkEncoder encoder_;
  std::vector<uint8_t> tile_;
  std::vector<uint8_t> encoded_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_INDEX_WRITER_H_
