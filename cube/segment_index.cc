#include "cube/segment_index.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace internode::cube {
namespace {

// Calls `visit` with each index within `extents`, the last fastest.
template <typename Visit>
void VisitExtents(absl::Span<const core::Extent> extents,
                  std::vector<int64_t>* index, size_t from,
                  const Visit& visit) {
  if (from == extents.size()) {
    visit(*index);
    return;
  }
  for (int64_t i = extents[from].begin; i < extents[from].end; ++i) {
    (*index)[from] = i;
    VisitExtents(extents, index, from + 1, visit);
  }
}

}  // namespace

void VisitPixels(const core::Selection& selection,
                 absl::FunctionRef<void(const std::vector<int64_t>&)> visit) {
  std::vector<int64_t> index(selection.extents.size());
  VisitExtents(selection.extents, &index, 0, visit);
}

SegmentIndex::SegmentIndex(core::ChunkGrid grid)
    : grid_(std::move(grid)),
      counts_(static_cast<size_t>(grid_.num_pixels())),
      statuses_(static_cast<size_t>(grid_.num_pixels())) {}

int64_t SegmentIndex::PositionOf(const std::vector<int64_t>& index) const {
  int64_t position = 0;
  for (size_t d = 0; d < index.size(); ++d) {
    const core::DimensionCut& cut = grid_.cuts()[d];
    position = position * (cut.end - cut.begin) + index[d] - cut.begin;
  }
  return position;
}

void SegmentIndex::Set(int64_t chunk, const core::BlockResult& result) {
  size_t pixel = 0;
  VisitPixels(grid_.Chunk(chunk), [&](const std::vector<int64_t>& index) {
    const auto position = static_cast<size_t>(PositionOf(index));
    counts_[position] = static_cast<uint16_t>(result.record_counts()[pixel]);
    statuses_[position] = static_cast<uint8_t>(result.statuses()[pixel]);
    ++pixel;
  });
}

namespace {

// The part of the grid's cuts at one row of the first dimension.
core::Selection RowSelection(const core::ChunkGrid& grid, int64_t row) {
  core::Selection selection;
  for (size_t d = 0; d < grid.dims().size(); ++d) {
    const core::DimensionCut& cut = grid.cuts()[d];
    selection.extents.push_back(d == 0
                                    ? core::Extent::Range(row, row + 1)
                                    : core::Extent::Range(cut.begin, cut.end));
  }
  return selection;
}

// The number of the first chunk at `row` of the first dimension.
int64_t FirstChunkAt(const core::ChunkGrid& grid, int64_t row) {
  std::vector<int64_t> index;
  for (size_t d = 0; d < grid.dims().size(); ++d) {
    index.push_back(d == 0 ? row : grid.cuts()[d].begin);
  }
  return grid.ChunkOf(index);
}

}  // namespace

// A slab is the chunks that share the rows from `first_row` on. Sets
// `next_first` to where the first record of each of them is, and adds all
// their records to `total`.
void SegmentIndex::StartSlab(int64_t first_row,
                             std::vector<int64_t>* next_first,
                             int64_t* total) const {
  const int64_t slab = FirstChunkAt(grid_, first_row);
  next_first->clear();
  const int64_t end = grid_.dims().empty() ? 1 : grid_.cuts()[0].end;
  for (int64_t row = first_row; row < end && FirstChunkAt(grid_, row) == slab;
       ++row) {
    VisitPixels(
        RowSelection(grid_, row), [&](const std::vector<int64_t>& index) {
          const auto chunk = static_cast<size_t>(grid_.ChunkOf(index) - slab);
          if (next_first->size() <= chunk) {
            next_first->resize(chunk + 1);
          }
          (*next_first)[chunk] +=
              counts_[static_cast<size_t>(PositionOf(index))];
        });
  }
  for (int64_t& records : *next_first) {
    records = std::exchange(*total, *total + records);
  }
}

void SegmentIndex::FillRow(int64_t row, std::vector<int64_t>* next_first,
                           std::vector<int16_t>* counts,
                           std::vector<int64_t>* firsts,
                           std::vector<int8_t>* statuses) const {
  const int64_t slab = FirstChunkAt(grid_, row);
  VisitPixels(RowSelection(grid_, row), [&](const std::vector<int64_t>& index) {
    const auto position = static_cast<size_t>(PositionOf(index));
    int64_t column = 0;
    for (size_t d = 1; d < index.size(); ++d) {
      column = column * grid_.dims()[d].size + index[d];
    }
    const auto at = static_cast<size_t>(column);
    const uint16_t count = counts_[position];
    (*counts)[at] = static_cast<int16_t>(count);
    (*statuses)[at] = static_cast<int8_t>(statuses_[position]);
    if (count == 0) return;
    int64_t& next =
        (*next_first)[static_cast<size_t>(grid_.ChunkOf(index) - slab)];
    (*firsts)[at] = std::exchange(next, next + count);
  });
}

absl::Status SegmentIndex::VisitRows(
    absl::FunctionRef<absl::Status(const Row&)> visit) {
  const core::Dimensions& dims = grid_.dims();
  size_t width = 1;
  for (size_t d = 1; d < dims.size(); ++d) {
    width *= static_cast<size_t>(dims[d].size);
  }
  const int64_t begin = dims.empty() ? 0 : grid_.cuts()[0].begin;
  const int64_t end = dims.empty() ? 1 : grid_.cuts()[0].end;
  const int64_t rows = dims.empty() ? 1 : dims[0].size;
  std::vector<int16_t> counts(width);
  std::vector<int64_t> firsts(width);
  std::vector<int8_t> statuses(width);
  std::vector<int64_t> next_first;
  int64_t total = 0;
  int64_t slab = -1;
  for (int64_t row = 0; row < rows; ++row) {
    std::fill(counts.begin(), counts.end(), int16_t{0});
    std::fill(firsts.begin(), firsts.end(), int64_t{-1});
    std::fill(statuses.begin(), statuses.end(), int8_t{0});
    const bool within = begin <= row && row < end && grid_.num_pixels() > 0;
    if (within) {
      if (FirstChunkAt(grid_, row) != slab) {
        slab = FirstChunkAt(grid_, row);
        StartSlab(row, &next_first, &total);
      }
      FillRow(row, &next_first, &counts, &firsts, &statuses);
    }
    INTERNODE_RETURN_IF_ERROR(visit({.row = row,
                                     .within = within,
                                     .counts = counts,
                                     .firsts = firsts,
                                     .statuses = statuses}));
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
