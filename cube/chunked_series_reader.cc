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

// Of larger storage chunks, two are not decoded together: it would take too
// much memory.
constexpr size_t kMostPairedBytes = size_t{8} << 20;

// Between storage chunks that are decoded beside each other, so that equal
// places in them do not share the processor's cache lines.
constexpr int64_t kSlotShift = 192;

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
  if (EndsSeries(call, scratch->sources, run)) {
    shape.padding = call.target.group.padding;
  }
  for (const Placement::Repeat& repeat : call.placement.repeats()) {
    shape.dims.push_back({.count = repeat.count,
                          .source_stride = 0,
                          .target_stride = repeat.stride});
  }
  ScatterChunks(shape, scratch->sources, &scratch->scatter,
                call.target.first_pixel + call.placement.OffsetOf(taken));
}

bool ChunkedSeriesReader::EndsSeries(const Call& call,
                                     absl::Span<const ScatterSource> sources,
                                     const Run& run) const {
  if (series_ < 0 || call.target.group.count != 1) return false;
  int64_t end = run.series_begin;
  for (const ScatterSource& source : sources) end += source.count;
  // The series is one stretch of the storage.
  return end * plan_.element_bytes == call.target.group.step;
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
