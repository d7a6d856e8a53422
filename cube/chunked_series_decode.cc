// The part of ChunkedSeriesReader that reads and decodes storage chunks, two at
// a time where that is faster.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "cube/chunked_series_reader.h"

namespace internode::cube {
namespace {

// Storage chunks are read together up to so many bytes.
constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

// A storage chunk of which not more than this part is stored needs no partner.
constexpr size_t kFewBytes = 16;

constexpr uint32_t kNoFilters = ~uint32_t{0};

}  // namespace

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
    if (stored.written() && stored.bytes > pipeline.chunk_bytes / kFewBytes &&
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

}  // namespace internode::cube
