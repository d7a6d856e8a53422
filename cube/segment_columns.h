#ifndef INTERNODE_CUBE_SEGMENT_COLUMNS_H_
#define INTERNODE_CUBE_SEGMENT_COLUMNS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "core/chunk_grid.h"
#include "core/record_batch.h"
#include "cube/netcdf_writer.h"
#include "cube/segment_layout.h"

namespace internode::cube {

// The columns along the dimension `segment`: takes rows of records, and
// writes them column by column, a storage chunk at a time.
// Thread-compatible.
class SegmentColumns {
 public:
  static constexpr int kDeflate = 1;

  // `file` and `layout` must outlive the object.
  SegmentColumns(NetcdfWriter* file, const SegmentLayout* layout);

  // Adds the columns' variables to the file.
  absl::Status AddVariables(const core::RecordSchema& schema);

  // Appends all records of a block; record i is of the pixel whose index along
  // axis a is pixel_index[a][i].
  absl::Status Append(const core::RecordBatch& records,
                      const std::vector<std::vector<int32_t>>& pixel_index);

  // Writes what is still held.
  absl::Status Finish();

  int64_t num_records() const { return written_ + held_; }

 private:
  // A column is stored in `runs` storage chunks of `run_bytes` bytes per row
  // side by side: one for each element of the axes before the last.
  struct Column {
    int variable = 0;
    int64_t number_bytes = 1;
    int64_t runs = 1;
    int64_t run_bytes = 1;
    // Index of the axes before the last: offset of each run's storage chunk.
    std::vector<std::vector<int64_t>> run_offsets;
    // Of the first element within a record.
    int64_t record_offset = 0;
    // Run after run, rows in each.
    std::vector<uint8_t> held;
  };

  absl::Status AddField(const core::RecordSchema& schema, int field);
  absl::Status AddPixelColumns();
  absl::Status AddColumn(const NetcdfVariable& variable,
                         const std::vector<int64_t>& shape,
                         int64_t record_offset);
  // Rows [from, from + count) of `records` to the held rows.
  void HoldFields(const core::RecordBatch& records, int64_t from,
                  int64_t count);
  void HoldPixels(const std::vector<std::vector<int32_t>>& pixel_index,
                  int64_t from, int64_t count);
  absl::Status Write();

  NetcdfWriter* const file_;
  const SegmentLayout* const layout_;
  ChunkEncoder encoder_;
  std::vector<uint8_t> encoded_;
  // The schema's fields, then one index column per axis, then one coordinate
  // column per axis that has one.
  std::vector<Column> columns_;
  size_t num_fields_ = 0;
  // Rows per storage chunk, held, and already written.
  int64_t capacity_ = 0;
  int64_t held_ = 0;
  int64_t written_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_COLUMNS_H_
