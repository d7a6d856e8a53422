#include "cube/chunked_series_reader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/cache_line.h"
#include "base/quantity.h"
#include "base/round_up.h"
#include "base/status_macros.h"
#include "cube/block_plan.h"

namespace internode::cube {
namespace {

// So many bytes of a series are put into their places together, if they are
// whole lines of the processor's cache, or else so many, of which the lines at
// either end are few; if their storage chunks, decoded, have not more than
// kGroupBytes.
constexpr int64_t kGroupLines = 2;
constexpr int64_t kGroupRun = 512;
constexpr int64_t kGroupBytes = int64_t{16} << 20;

// What is listed at a time.
constexpr size_t kListedCells = 4096;
constexpr int64_t kListedBytes = int64_t{64} << 20;

// Storage chunks are read together if they are so near to each other in the
// file: a read of so much costs about as much as a call of the system.
constexpr uint64_t kGapBytes = uint64_t{32} << 10;
constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

// Between storage chunks that are decoded beside each other, so that equal
// places in them do not share the processor's cache lines.
constexpr int64_t kSlotShift = 192;

constexpr uint32_t kNoFilters = ~uint32_t{0};

// Whether the series of `plan` begin at lines of the processor's cache.
bool BeginsAtLines(const PlannedVariable& plan) {
  return std::all_of(
      plan.groups.begin(), plan.groups.end(), [](const SeriesGroup& group) {
        return group.offset % kCacheLineBytes == 0 &&
               (group.count == 1 || group.step % kCacheLineBytes == 0);
      });
}

// How many storage chunks are put into their places together, each of `bytes`
// of a series.
int64_t GroupCells(const PlannedVariable& plan, int64_t bytes) {
  // The first number of them that is whole lines.
  const int64_t cells = kCacheLineBytes / std::gcd(bytes, kCacheLineBytes);
  if (cells * bytes <= kGroupRun && BeginsAtLines(plan)) {
    return RoundUp(kGroupLines * kCacheLineBytes, cells * bytes) / bytes;
  }
  return (kGroupRun + bytes - 1) / bytes;
}

}  // namespace

ChunkedSeriesReader::ChunkedSeriesReader(
    const CubeFile& file, const core::VariableInfo& info,
    const StoredVariable& variable, const PlannedVariable& plan,
    std::shared_ptr<const ReadPool::Dataset> dataset, ReadPool* pool)
    : file_(file),
      info_(info),
      variable_(variable),
      plan_(plan),
      dataset_(std::move(dataset)),
      pool_(pool) {
  const size_t rank = plan_.axes.size();
  chunk_strides_.resize(rank);
  for (size_t d = rank; d-- > 0;) {
    chunk_strides_[d] = chunk_elements_;
    chunk_elements_ *= plan_.axes[d].chunk;
  }
  for (size_t d = 0; d < rank; ++d) {
    const PlannedAxis& axis = plan_.axes[d];
    // Where the series lie one number after the other in the storage chunk
    // too, there is nothing to turn.
    if (axis.kind == AxisKind::kCore && axis.stride == plan_.element_bytes &&
        chunk_strides_[d] > 1 &&
        (series_ < 0 ||
         axis.size > plan_.axes[static_cast<size_t>(series_)].size)) {
      series_ = static_cast<int>(d);
    }
  }
  const FilterPipeline& pipeline = variable_.plan.pipeline;
  slot_bytes_ =
      RoundUp(static_cast<int64_t>(pipeline.chunk_bytes + Buffer::kSlack),
              kCacheLineBytes) +
      kSlotShift;
  if (series_ >= 0) {
    const int64_t times = plan_.axes[static_cast<size_t>(series_)].chunk;
    group_cells_ =
        std::clamp<int64_t>(kGroupBytes / slot_bytes_, 1,
                            GroupCells(plan_, times * plan_.element_bytes));
    planes_ = pipeline.element_bytes == 2 && !pipeline.filters.empty() &&
              pipeline.filters[0] == ChunkFilter::kShuffle;
  }
}

ChunkedSeriesReader::Call ChunkedSeriesReader::NewCall(
    const SeriesTarget& target, ReadScratch* scratch) const {
  Call call = {.target = target,
               .placement = Placement(plan_, target.group, target.selection,
                                      target.pixel_stride),
               .box = BoxOf(plan_, target.group, target.selection),
               .scratch = scratch};
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

void ChunkedSeriesReader::WillRead(const SeriesTarget& target,
                                   ReadScratch* scratch) {
  Call call = NewCall(target, scratch);
  if (!ListGroups(&call)) return;
  uint64_t begin = 0;
  uint64_t end = 0;
  for (const Group& group : scratch->groups) {
    for (size_t c = group.begin; c < group.end; ++c) {
      const Cell& cell = scratch->cells[c];
      if (!cell.wanted) continue;
      const uint64_t address = cell.stored.address;
      if (address < end || address - end > kGapBytes) {
        if (end > begin) file_.bytes->WillRead(begin, end - begin);
        begin = address;
      }
      end = address + cell.stored.bytes;
    }
  }
  if (end > begin) file_.bytes->WillRead(begin, end - begin);
}

absl::Status ChunkedSeriesReader::Read(const SeriesTarget& target,
                                       ReadScratch* scratch) {
  Call call = NewCall(target, scratch);
  const Box whole = BoxOf(plan_, target.group, target.selection);
  if (call.box != whole) {
    call.placement.Fill(whole, variable_.plan.fill.data(), target.first_pixel);
  }
  scratch->window_begin = scratch->window_end = 0;
  absl::Status status;
  while (status.ok() && ListGroups(&call)) {
    for (size_t g = 0; status.ok() && g < scratch->groups.size(); ++g) {
      status = ReadGroup(call, g);
      scratch->held.clear();
    }
  }
  return status;
}

bool ChunkedSeriesReader::ListGroups(Call* call) const {
  ReadScratch* const scratch = call->scratch;
  scratch->cells.clear();
  scratch->groups.clear();
  int64_t bytes = 0;
  while (!call->done && scratch->cells.size() < kListedCells &&
         bytes < kListedBytes) {
    bytes += ListGroup(call);
    NextGroup(call);
  }
  std::sort(scratch->groups.begin(), scratch->groups.end(),
            [](const Group& a, const Group& b) {
              return a.address != b.address ? a.address < b.address
                                            : a.begin < b.begin;
            });
  return !scratch->groups.empty();
}

int64_t ChunkedSeriesReader::ListGroup(Call* call) const {
  ReadScratch* const scratch = call->scratch;
  const ChunkIndex& index = dataset_->storage.chunks;
  Group group;
  group.place = call->place;
  group.begin = scratch->cells.size();
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
    scratch->cells.push_back(cell);
  }
  group.end = scratch->cells.size();
  scratch->groups.push_back(std::move(group));
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

absl::Status ChunkedSeriesReader::ReadGroup(const Call& call,
                                            size_t group) const {
  ReadScratch* const scratch = call.scratch;
  const Group& listed = scratch->groups[group];
  if (!listed.cut) {
    scratch->staging.Reserve(static_cast<size_t>(
        slot_bytes_ * static_cast<int64_t>(listed.end - listed.begin)));
    scratch->repeated.Forget();
  }
  scratch->sources.clear();
  Run run;
  for (size_t c = listed.begin; c < listed.end; ++c) {
    const Cell& cell = scratch->cells[c];
    const Box taken = Taken(call, listed, cell);
    if (!cell.stored.written()) {
      ++scratch->counters.chunks_absent;
      Scatter(call, listed, run);
      scratch->sources.clear();
      call.placement.Fill(taken, variable_.plan.fill.data(),
                          call.target.first_pixel);
      continue;
    }
    ChunkForm form = ChunkForm::kNumbers;
    INTERNODE_ASSIGN_OR_RETURN(const ScatterSource source,
                               Source(call, group, c, &form));
    if (scratch->sources.empty() || form != run.form) {
      Scatter(call, listed, run);
      scratch->sources.clear();
      run.form = form;
      run.series_begin =
          series_ < 0 ? 0 : taken[static_cast<size_t>(series_)].begin;
    }
    scratch->sources.push_back(source);
  }
  Scatter(call, listed, run);
  return absl::OkStatus();
}

absl::StatusOr<ScatterSource> ChunkedSeriesReader::Source(
    const Call& call, size_t group, size_t cell, ChunkForm* form) const {
  ReadScratch* const scratch = call.scratch;
  const Group& listed = scratch->groups[group];
  const Cell& wanted = scratch->cells[cell];
  ScatterSource source;
  if (series_ >= 0) {
    const auto series = static_cast<size_t>(series_);
    const core::Extent part = Taken(call, listed, wanted)[series];
    source.first = part.begin - wanted.place * plan_.axes[series].chunk;
    source.count = part.size();
  }
  if (!listed.cut) {
    std::byte* const slot =
        scratch->staging.data() +
        slot_bytes_ * static_cast<int64_t>(cell - listed.begin);
    INTERNODE_ASSIGN_OR_RETURN(const StoredCell stored,
                               Stored(call, group, cell));
    if (scratch->repeated.Is(stored.bytes, stored.filter_mask)) {
      ++scratch->counters.chunks_reused;
      source.chunk = scratch->repeated.chunk();
      *form = scratch->repeated.form();
      return source;
    }
    INTERNODE_ASSIGN_OR_RETURN(*form, Decode(call, group, cell, stored, slot));
    scratch->repeated.Keep(stored.bytes, stored.filter_mask,
                           variable_.plan.pipeline.chunk_bytes, slot, *form);
    source.chunk = slot;
    return source;
  }
  bool decoded = false;
  absl::StatusOr<ChunkCache::Chunk> chunk = pool_->cache().Get(
      {dataset_->id, wanted.ordinal, planes_}, UseOf(call, listed, wanted),
      [&](std::byte* target) -> absl::StatusOr<ChunkForm> {
        decoded = true;
        INTERNODE_ASSIGN_OR_RETURN(const StoredCell stored,
                                   Stored(call, group, cell));
        return Decode(call, group, cell, stored, target);
      });
  if (!chunk.ok()) return chunk.status();
  if (!decoded) ++scratch->counters.chunks_reused;
  source.chunk = chunk->data();
  *form = chunk->form();
  scratch->held.push_back(*std::move(chunk));
  return source;
}

absl::StatusOr<ChunkForm> ChunkedSeriesReader::Decode(const Call& call,
                                                      size_t group, size_t cell,
                                                      const StoredCell& stored,
                                                      std::byte* target) const {
  ReadScratch* const scratch = call.scratch;
  const FilterPipeline& pipeline = variable_.plan.pipeline;
  absl::StatusOr<ChunkForm> form = scratch->decoder.Decode(
      pipeline, stored.filter_mask, stored.bytes, planes_, target);
  if (!form.ok()) {
    return ErrorAt(BoxOfCell(scratch->groups[group], scratch->cells[cell]),
                   form.status());
  }
  ++scratch->counters.chunks_decoded;
  scratch->counters.decoded_bytes += static_cast<int64_t>(pipeline.chunk_bytes);
  return form;
}

absl::StatusOr<ChunkedSeriesReader::StoredCell> ChunkedSeriesReader::Stored(
    const Call& call, size_t group, size_t cell) const {
  ReadScratch* const scratch = call.scratch;
  const StorageChunk& stored = scratch->cells[cell].stored;
  const Box box = BoxOfCell(scratch->groups[group], scratch->cells[cell]);
  if (stored.bytes > ChunkDecoder::MostStoredBytes(variable_.plan.pipeline)) {
    return ErrorAt(
        box, absl::DataLossError(absl::StrCat(
                 "it takes ", FormatBytes(stored.bytes), " in the file")));
  }
  if (stored.address < scratch->window_begin ||
      stored.address + stored.bytes > scratch->window_end) {
    const absl::Status status = ReadWindow(call, group, cell);
    if (!status.ok()) return ErrorAt(box, status);
  }
  const bool at_edge = NumElements(box) < chunk_elements_;
  return StoredCell{
      .bytes = absl::MakeConstSpan(
          scratch->window.data() + (stored.address - scratch->window_begin),
          stored.bytes),
      .filter_mask = at_edge && dataset_->storage.edge_chunks_unfiltered
                         ? kNoFilters
                         : stored.filter_mask};
}

// Reads what is stored of a cell, and of those that are read next as long as
// they lie near behind.
absl::Status ChunkedSeriesReader::ReadWindow(const Call& call, size_t group,
                                             size_t cell) const {
  ReadScratch* const scratch = call.scratch;
  const StorageChunk& stored = scratch->cells[cell].stored;
  const uint64_t begin = stored.address;
  uint64_t end = begin + stored.bytes;
  bool near = true;
  for (size_t g = group; near && g < scratch->groups.size(); ++g) {
    const size_t first = g == group ? cell + 1 : scratch->groups[g].begin;
    for (size_t c = first; near && c < scratch->groups[g].end; ++c) {
      const Cell& next = scratch->cells[c];
      if (!next.wanted) continue;
      const uint64_t next_end = next.stored.address + next.stored.bytes;
      near = next.stored.address >= end &&
             next.stored.address - end <= kGapBytes &&
             next_end - begin <= kWindowBytes;
      if (near) end = next_end;
    }
  }
  const auto bytes = static_cast<size_t>(end - begin);
  scratch->window_begin = scratch->window_end = 0;
  INTERNODE_RETURN_IF_ERROR(file_.bytes->ReadAt(
      begin, absl::MakeSpan(scratch->window.Reserve(bytes), bytes)));
  scratch->window_begin = begin;
  scratch->window_end = end;
  scratch->counters.read_bytes += static_cast<int64_t>(bytes);
  return absl::OkStatus();
}

void ChunkedSeriesReader::Scatter(const Call& call, const Group& group,
                                  const Run& run) const {
  ReadScratch* const scratch = call.scratch;
  if (scratch->sources.empty()) return;
  const FilterPipeline& pipeline = variable_.plan.pipeline;
  ScatterShape shape;
  shape.element_bytes = pipeline.element_bytes;
  shape.form = run.form;
  shape.swapped = pipeline.swapped;
  shape.chunk_elements = chunk_elements_;
  shape.series = series_;
  shape.streaming = call.target.streaming;
  Box taken = Taken(call, group, scratch->cells[group.begin]);
  for (size_t d = 0; d < taken.size(); ++d) {
    shape.dims.push_back({.count = taken[d].size(),
                          .source_stride = chunk_strides_[d],
                          .target_stride = call.placement.stride(d)});
    if (static_cast<int>(d) == series_) {
      taken[d].begin = run.series_begin;
      continue;
    }
    const int64_t begin = group.place[d] * plan_.axes[d].chunk;
    shape.first += (taken[d].begin - begin) * chunk_strides_[d];
  }
  for (const Placement::Repeat& repeat : call.placement.repeats()) {
    shape.dims.push_back({.count = repeat.count,
                          .source_stride = 0,
                          .target_stride = repeat.stride});
  }
  ScatterChunks(shape, scratch->sources, &scratch->scatter,
                call.target.first_pixel + call.placement.OffsetOf(taken));
}

Box ChunkedSeriesReader::BoxOfCell(const Group& group, const Cell& cell) const {
  Box box;
  for (size_t d = 0; d < group.place.size(); ++d) {
    const int64_t place =
        static_cast<int>(d) == series_ ? cell.place : group.place[d];
    const int64_t chunk = plan_.axes[d].chunk;
    box.push_back(core::Extent::Range(
        place * chunk, std::min((place + 1) * chunk, variable_.extents[d])));
  }
  return box;
}

Box ChunkedSeriesReader::Taken(const Call& call, const Group& group,
                               const Cell& cell) const {
  Box box = BoxOfCell(group, cell);
  for (size_t d = 0; d < box.size(); ++d) {
    box[d].begin = std::max(box[d].begin, call.box[d].begin);
    box[d].end = std::min(box[d].end, call.box[d].end);
  }
  return box;
}

ChunkCache::Use ChunkedSeriesReader::UseOf(const Call& call, const Group& group,
                                           const Cell& cell) const {
  const Box own = BoxOfCell(group, cell);
  int64_t expected = 1;
  for (size_t d = 0; d < own.size(); ++d) {
    if (plan_.axes[d].kind != AxisKind::kBand) {
      expected *= own[d].size();
      continue;
    }
    // Bands that nobody asks for are not waited for.
    int64_t bands = 0;
    for (const SeriesGroup& series : plan_.groups) {
      const int64_t begin = std::max(series.band, own[d].begin);
      const int64_t end = std::min(series.band + series.count, own[d].end);
      bands += std::max<int64_t>(end - begin, 0);
    }
    expected *= bands;
  }
  return {.bytes = variable_.plan.pipeline.chunk_bytes,
          .taken = NumElements(Taken(call, group, cell)),
          .expected = expected};
}

absl::Status ChunkedSeriesReader::ErrorAt(const Box& box,
                                          const absl::Status& status) const {
  return absl::Status(
      status.code(),
      absl::StrCat("cannot read variable '", info_.name, "' of '", file_.path,
                   "' at ", BoxText(info_, box), ": ",
                   absl::IsDataLoss(status) ? "corrupt storage chunk: " : "",
                   status.message()));
}

}  // namespace internode::cube
