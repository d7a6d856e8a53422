#ifndef INTERNODE_CUBE_SEGMENT_INDEX_H_
#define INTERNODE_CUBE_SEGMENT_INDEX_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

#include "core/block_result.h"
#include "core/chunk_grid.h"

namespace internode::cube {

// How many records each pixel of a job has, where the first of them is, and
// what became of the pixel, in 3 bytes per pixel of the grid's cuts. Where
// the first record is follows from the order: chunk after chunk, and pixel
// after pixel in a chunk. Pure. Thread-compatible.
class SegmentIndex {
 public:
  static constexpr int64_t kMostRecords = 32767;

  explicit SegmentIndex(core::ChunkGrid grid);

  // Sets the pixels of `chunk`, which has result.num_pixels() pixels, none of
  // them with more than kMostRecords records.
  void Set(int64_t chunk, const core::BlockResult& result);

  // One row of the index: the pixels of all dimensions in full size but the
  // first, at row `row` of the first; outside the cuts nothing is there.
  // Without dimensions there is one row of one pixel.
  struct Row {
    int64_t row = 0;
    // Any of the row's pixels is within the cuts.
    bool within = false;
    absl::Span<const int16_t> counts;
    // -1 = none.
    absl::Span<const int64_t> firsts;
    absl::Span<const int8_t> statuses;
  };
  // Calls `visit` with each row in order, until it fails.
  absl::Status VisitRows(absl::FunctionRef<absl::Status(const Row&)> visit);

 private:
  // Number of the pixel at `index` among those of the cuts.
  int64_t PositionOf(const std::vector<int64_t>& index) const;
  void StartSlab(int64_t first_row, std::vector<int64_t>* next_first,
                 int64_t* total) const;
  void FillRow(int64_t row, std::vector<int64_t>* next_first,
               std::vector<int16_t>* counts, std::vector<int64_t>* firsts,
               std::vector<int8_t>* statuses) const;

  core::ChunkGrid grid_;
  // Per pixel of the cuts, row-major.
  std::vector<uint16_t> counts_;
  std::vector<uint8_t> statuses_;
};

// Calls `visit` with the index of each pixel of `selection`, row-major.
void VisitPixels(const core::Selection& selection,
                 absl::FunctionRef<void(const std::vector<int64_t>&)> visit);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_INDEX_H_
