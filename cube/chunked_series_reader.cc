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

// Of larger storage chunks, two are not decoded together: it would take too
// much memory.
constexpr size_t kMostPairedBytes = size_t{8} << 20;
// Of a storage chunk that is worth a partner, not more than this part of its
// numbers' bytes are stored.
constexpr size_t kFewStoredBytes = 16;

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
  pairs_ = pipeline.chunk_bytes <= kMostPairedBytes &&
           std::count(pipeline.filters.begin(), pipeline.filters.end(),
                      ChunkFilter::kDeflate) > 0;
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

void ChunkedSeriesReader::WillRead(const SeriesTarget& target,
                                   ReadScratch* scratch) {
  Call call = NewCall(target, scratch, &scratch->listed);
  if (!ListGroups(&call)) return;
  uint64_t begin = 0;
  uint64_t end = 0;
  for (const Group& group : call.listed->groups) {
    for (size_t c = group.begin; c < group.end; ++c) {
      const Cell& cell = call.listed->cells[c];
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
  Call call = NewCall(target, scratch, &scratch->listed);
  const Box whole = BoxOf(plan_, target.group, target.selection);
  if (call.box != whole) {
    call.placement.Fill(whole, variable_.plan.fill.data(), target.first_pixel);
  }
  scratch->window.begin = scratch->window.end = 0;
  if (!IsAhead(call, scratch->ahead.cell)) {
    scratch->ahead.cell = ReadScratch::Ahead::kNone;
  }
  absl::Status status;
  while (status.ok() && ListGroups(&call)) {
    for (size_t g = 0; status.ok() && g < call.listed->groups.size(); ++g) {
      status = ReadGroup(call, g);
      scratch->held.clear();
    }
  }
  return status;
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

absl::Status ChunkedSeriesReader::ReadGroup(const Call& call,
                                            size_t group) const {
  ReadScratch* const scratch = call.scratch;
  const Group& listed = call.listed->groups[group];
  if (!listed.cut) {
    const size_t ahead = scratch->ahead.cell;
    if (IsAhead(call, ahead) && ahead >= listed.begin && ahead < listed.end) {
      std::swap(scratch->staging, scratch->staging_ahead);
    }
    scratch->repeated.Forget();
  }
  scratch->sources.clear();
  Run run;
  for (size_t c = listed.begin; c < listed.end; ++c) {
    const Cell& cell = call.listed->cells[c];
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
  const Group& listed = call.listed->groups[group];
  const Cell& wanted = call.listed->cells[cell];
  ScatterSource source;
  if (series_ >= 0) {
    const auto series = static_cast<size_t>(series_);
    const core::Extent part = Taken(call, listed, wanted)[series];
    source.first = part.begin - wanted.place * plan_.axes[series].chunk;
    source.count = part.size();
  }
  if (!listed.cut) {
    std::byte* const slot = Slot(call, group, cell, &scratch->staging);
    if (IsAhead(call, cell)) {
      scratch->ahead.cell = ReadScratch::Ahead::kNone;
      // What follows it in the file is in it too.
      if (scratch->window_ahead.end > 0) {
        std::swap(scratch->window, scratch->window_ahead);
        scratch->window_ahead.begin = scratch->window_ahead.end = 0;
      }
      INTERNODE_ASSIGN_OR_RETURN(
          *form, Decoded(call, group, cell, std::move(scratch->ahead.form)));
      source.chunk = slot;
      return source;
    }
    INTERNODE_ASSIGN_OR_RETURN(const ChunkDecoder::Stored stored,
                               Stored(call, group, cell, &scratch->window));
    if (scratch->repeated.Is(stored.bytes, stored.filter_mask)) {
      ++scratch->counters.chunks_reused;
      source.chunk = scratch->repeated.chunk();
      *form = scratch->repeated.form();
      return source;
    }
    INTERNODE_ASSIGN_OR_RETURN(*form, DecodeWhole(call, group, cell, stored));
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
        INTERNODE_ASSIGN_OR_RETURN(const ChunkDecoder::Stored stored,
                                   Stored(call, group, cell, &scratch->window));
        return Decoded(
            call, group, cell,
            scratch->decoder.Decode({.pipeline = &variable_.plan.pipeline,
                                     .stored = stored,
                                     .planes = planes_,
                                     .target = target}));
      });
  if (!chunk.ok()) return chunk.status();
  if (!decoded) ++scratch->counters.chunks_reused;
  source.chunk = chunk->data();
  *form = chunk->form();
  scratch->held.push_back(*std::move(chunk));
  return source;
}

std::byte* ChunkedSeriesReader::Slot(const Call& call, size_t group,
                                     size_t cell, Buffer* staging) const {
  const Group& listed = call.listed->groups[group];
  const auto cells = static_cast<int64_t>(listed.end - listed.begin);
  return staging->Reserve(static_cast<size_t>(slot_bytes_ * cells)) +
         slot_bytes_ * static_cast<int64_t>(cell - listed.begin);
}

absl::StatusOr<ChunkForm> ChunkedSeriesReader::DecodeWhole(
    const Call& call, size_t group, size_t cell,
    const ChunkDecoder::Stored& stored) const {
  ReadScratch* const scratch = call.scratch;
  const ChunkDecoder::Chunk chunk = {
      .pipeline = &variable_.plan.pipeline,
      .stored = stored,
      .planes = planes_,
      .target = Slot(call, group, cell, &scratch->staging)};
  const std::optional<ChunkDecoder::Chunk> partner = Partner(call, group, cell);
  if (!partner.has_value()) {
    return Decoded(call, group, cell, scratch->decoder.Decode(chunk));
  }
  ChunkDecoder::Forms forms = scratch->decoder.DecodeTwo(chunk, *partner);
  scratch->ahead.form = std::move(forms[1]);
  return Decoded(call, group, cell, std::move(forms[0]));
}

std::optional<ChunkDecoder::Chunk> ChunkedSeriesReader::Partner(
    const Call& call, size_t group, size_t cell) const {
  ReadScratch* const scratch = call.scratch;
  const std::vector<Group>& groups = call.listed->groups;
  // Not before the one that was decoded ahead has had its turn.
  if (scratch->ahead.cell != ReadScratch::Ahead::kNone ||
      FirstToPair(call, group, cell) != cell) {
    return std::nullopt;
  }
  const size_t next = FirstToPair(call, group, cell + 1);
  if (next < groups[group].end) {
    return TakeAhead(call, group, next, &scratch->staging);
  }
  if (group + 1 < groups.size()) {
    const size_t first = FirstToPair(call, group + 1, groups[group + 1].begin);
    if (first == groups[group + 1].end) return std::nullopt;
    return TakeAhead(call, group + 1, first, &scratch->staging_ahead);
  }
  if (!call.done || call.target.next == nullptr) return std::nullopt;
  return call.target.next_reader->First(*call.target.next, scratch);
}

std::optional<ChunkDecoder::Chunk> ChunkedSeriesReader::First(
    const SeriesTarget& target, ReadScratch* scratch) {
  if (!pairs_) return std::nullopt;
  Call call = NewCall(target, scratch, &scratch->listed_ahead);
  if (!ListGroups(&call)) return std::nullopt;
  const Group& group = call.listed->groups[0];
  const size_t cell = FirstToPair(call, 0, group.begin);
  if (cell == group.end) return std::nullopt;
  return TakeAhead(call, 0, cell, &scratch->staging_ahead);
}

size_t ChunkedSeriesReader::FirstToPair(const Call& call, size_t group,
                                        size_t begin) const {
  const Group& listed = call.listed->groups[group];
  if (!pairs_ || listed.cut) return listed.end;
  const FilterPipeline& pipeline = variable_.plan.pipeline;
  for (size_t c = begin; c < listed.end; ++c) {
    const StorageChunk& stored = call.listed->cells[c].stored;
    // One of few stored bytes takes no time, and is likely to be the same as
    // one before it. One of too many is damaged.
    if (stored.written() &&
        stored.bytes > pipeline.chunk_bytes / kFewStoredBytes &&
        stored.bytes <= ChunkDecoder::MostStoredBytes(pipeline)) {
      return c;
    }
  }
  return listed.end;
}

std::optional<ChunkDecoder::Chunk> ChunkedSeriesReader::TakeAhead(
    const Call& call, size_t group, size_t cell, Buffer* staging) const {
  ReadScratch* const scratch = call.scratch;
  scratch->window_ahead.begin = scratch->window_ahead.end = 0;
  const absl::StatusOr<ChunkDecoder::Stored> stored =
      Stored(call, group, cell, &scratch->window_ahead);
  // It will be read again when its turn comes, and the error told.
  if (!stored.ok()) return std::nullopt;
  scratch->ahead.reader = this;
  scratch->ahead.series = &call.target.group;
  scratch->ahead.cell = cell;
  return ChunkDecoder::Chunk{.pipeline = &variable_.plan.pipeline,
                             .stored = *stored,
                             .planes = planes_,
                             .target = Slot(call, group, cell, staging)};
}

bool ChunkedSeriesReader::IsAhead(const Call& call, size_t cell) const {
  const ReadScratch::Ahead& ahead = call.scratch->ahead;
  return cell != ReadScratch::Ahead::kNone && ahead.cell == cell &&
         ahead.reader == this && ahead.series == &call.target.group;
}

absl::StatusOr<ChunkForm> ChunkedSeriesReader::Decoded(
    const Call& call, size_t group, size_t cell,
    absl::StatusOr<ChunkForm> form) const {
  ReadScratch* const scratch = call.scratch;
  if (!form.ok()) {
    return ErrorAt(
        BoxOfCell(call.listed->groups[group], call.listed->cells[cell]),
        form.status());
  }
  ++scratch->counters.chunks_decoded;
  scratch->counters.decoded_bytes +=
      static_cast<int64_t>(variable_.plan.pipeline.chunk_bytes);
  return form;
}

absl::StatusOr<ChunkDecoder::Stored> ChunkedSeriesReader::Stored(
    const Call& call, size_t group, size_t cell,
    ReadScratch::Window* window) const {
  const StorageChunk& stored = call.listed->cells[cell].stored;
  const Box box =
      BoxOfCell(call.listed->groups[group], call.listed->cells[cell]);
  if (stored.bytes > ChunkDecoder::MostStoredBytes(variable_.plan.pipeline)) {
    return ErrorAt(
        box, absl::DataLossError(absl::StrCat(
                 "it takes ", FormatBytes(stored.bytes), " in the file")));
  }
  // What was read for the listed calls, which are of this file.
  if (call.listed == &call.scratch->listed &&
      call.scratch->window.Has(stored.address, stored.bytes)) {
    window = &call.scratch->window;
  } else if (!window->Has(stored.address, stored.bytes)) {
    const absl::Status status = ReadWindow(call, group, cell, window);
    if (!status.ok()) return ErrorAt(box, status);
  }
  const bool at_edge = NumElements(box) < chunk_elements_;
  return ChunkDecoder::Stored{
      .bytes = absl::MakeConstSpan(
          window->bytes.data() + (stored.address - window->begin),
          stored.bytes),
      .filter_mask = at_edge && dataset_->storage.edge_chunks_unfiltered
                         ? kNoFilters
                         : stored.filter_mask};
}

// Reads what is stored of a cell, and of those that are read next as long as
// they lie near behind.
absl::Status ChunkedSeriesReader::ReadWindow(
    const Call& call, size_t group, size_t cell,
    ReadScratch::Window* window) const {
  const ReadScratch::Listed& listed = *call.listed;
  const StorageChunk& stored = listed.cells[cell].stored;
  const uint64_t begin = stored.address;
  uint64_t end = begin + stored.bytes;
  bool near = true;
  for (size_t g = group; near && g < listed.groups.size(); ++g) {
    const size_t first = g == group ? cell + 1 : listed.groups[g].begin;
    for (size_t c = first; near && c < listed.groups[g].end; ++c) {
      const Cell& next = listed.cells[c];
      if (!next.wanted) continue;
      const uint64_t next_end = next.stored.address + next.stored.bytes;
      near = next.stored.address >= end &&
             next.stored.address - end <= kGapBytes &&
             next_end - begin <= kWindowBytes;
      if (near) end = next_end;
    }
  }
  const auto bytes = static_cast<size_t>(end - begin);
  window->begin = window->end = 0;
  INTERNODE_RETURN_IF_ERROR(file_.bytes->ReadAt(
      begin, absl::MakeSpan(window->bytes.Reserve(bytes), bytes)));
  window->begin = begin;
  window->end = end;
  call.scratch->counters.read_bytes += static_cast<int64_t>(bytes);
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
  Box taken = Taken(call, group, call.listed->cells[group.begin]);
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
