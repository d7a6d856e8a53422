// The part of ChunkedSeriesReader that lists the storage chunks to be read.

#include <algorithm>
#include <utility>

#include "cube/chunked_series_reader.h"

namespace internode::cube {
namespace {

// What is listed at a time.
constexpr size_t kListedCells = 4096;
constexpr int64_t kListedBytes = int64_t{64} << 20;

}  // namespace

ChunkedSeriesReader::Call ChunkedSeriesReader::NewCall(
    const SeriesTarget& target, ReadScratch* scratch,
    ReadScratch::Listed* listed) const {
  Call call = {.target = target,
               .placement = Placement(plan_, target.group, target.selection,
                                      target.pixel_stride),
               .box = BoxOf(plan_, target.group, target.selection),
               .scratch = scratch,
               .listed = listed};
  for (size_t d = 0; d < call.box.size(); ++d) {
    call.box[d].end = std::min(call.box[d].end, variable_.extents[d]);
  }
  call.done = IsEmpty(call.box);
  if (call.done) return call;
  for (size_t d = 0; d < call.box.size(); ++d) {
    call.place.push_back(call.box[d].begin / plan_.axes[d].chunk);
  }
  if (series_ >= 0) {
    call.series_place = call.place[static_cast<size_t>(series_)];
  }
  return call;
}

bool ChunkedSeriesReader::ListGroups(Call* call) const {
  ReadScratch::Listed* const listed = call->listed;
  listed->cells.clear();
  listed->groups.clear();
  int64_t bytes = 0;
  while (!call->done && listed->cells.size() < kListedCells &&
         bytes < kListedBytes) {
    bytes += ListGroup(call);
    NextGroup(call);
  }
  std::sort(listed->groups.begin(), listed->groups.end(),
            [](const Group& a, const Group& b) {
              return a.address != b.address ? a.address < b.address
                                            : a.begin < b.begin;
            });
  return !listed->groups.empty();
}

int64_t ChunkedSeriesReader::ListGroup(Call* call) const {
  ReadScratch::Listed* const listed = call->listed;
  const ChunkIndex& index = dataset_->storage.chunks;
  Group group;
  group.place = call->place;
  group.begin = listed->cells.size();
  int64_t cells = 1;
  int64_t ordinal = 0;
  int64_t step = 0;
  int64_t stride = 1;
  for (size_t d = call->place.size(); d-- > 0;) {
    if (static_cast<int>(d) == series_) {
      step = stride;
      cells = std::min(group_cells_, Cells(call->box, d) - call->series_place);
      ordinal += call->series_place * stride;
    } else {
      ordinal += call->place[d] * stride;
    }
    stride *= index.grid().counts[d];
  }
  int64_t bytes = 0;
  group.address = StorageChunk::kNeverWritten;
  for (int64_t i = 0; i < cells; ++i) {
    Cell cell;
    cell.ordinal = ordinal + i * step;
    cell.place = call->series_place + i;
    cell.stored = index.Find(cell.ordinal);
    cell.wanted = cell.stored.written();
    group.address = std::min(group.address, cell.stored.address);
    bytes += cell.stored.bytes;
    if (i == 0) {
      // The series are whole, so that one speaks for all.
      const Box own = BoxOfCell(group, cell);
      for (size_t d = 0; d < own.size(); ++d) {
        group.cut = group.cut || call->box[d].begin > own[d].begin ||
                    call->box[d].end < own[d].end;
      }
    }
    if (group.cut && cell.wanted) {
      cell.wanted =
          !pool_->cache().Contains({dataset_->id, cell.ordinal, planes_});
    }
    listed->cells.push_back(cell);
  }
  group.end = listed->cells.size();
  listed->groups.push_back(std::move(group));
  return bytes;
}

// In chunks, the end of `box` along dimension `d`.
int64_t ChunkedSeriesReader::Cells(const Box& box, size_t d) const {
  return (box[d].end - 1) / plan_.axes[d].chunk + 1;
}

void ChunkedSeriesReader::NextGroup(Call* call) const {
  if (series_ >= 0) {
    const auto series = static_cast<size_t>(series_);
    call->series_place += group_cells_;
    if (call->series_place < Cells(call->box, series)) return;
    call->series_place = call->place[series];
  }
  for (size_t d = call->place.size(); d-- > 0;) {
    if (static_cast<int>(d) == series_) continue;
    if (++call->place[d] < Cells(call->box, d)) return;
    call->place[d] = call->box[d].begin / plan_.axes[d].chunk;
  }
  call->done = true;
}

}  // namespace internode::cube
