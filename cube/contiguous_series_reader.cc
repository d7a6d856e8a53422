#include "cube/contiguous_series_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/shuffle.h"
#include "cube/strided_copy.h"
#include "cube/variable_reader.h"

namespace internode::cube {
namespace {

// What lies between two parts is read along with them up to this: a read of so
// much costs about as much as a call of the system.
constexpr int64_t kPartGapBytes = int64_t{32} << 10;
// The most that is read at once, and that is held.
constexpr int64_t kPartBytes = int64_t{4} << 20;
constexpr int64_t kHeldBytes = int64_t{8} << 20;

// Between what is read at once, so that equal places in it do not share the
// processor's cache lines.
constexpr int64_t kPartShift = 192;

// Parts of which the system is told before.
constexpr int64_t kMostHints = 16;

}  // namespace

ContiguousSeriesReader::ContiguousSeriesReader(
    const CubeFile& file, const core::VariableInfo& info,
    const StoredVariable& variable, const PlannedVariable& plan,
    std::shared_ptr<const ReadPool::Dataset> dataset)
    : file_(file),
      info_(info),
      variable_(variable),
      plan_(plan),
      dataset_(std::move(dataset)),
      strides_(plan.axes.size()) {
  int64_t stride = 1;
  for (size_t d = strides_.size(); d-- > 0;) {
    strides_[d] = stride;
    stride *= variable_.extents[d];
  }
}

Box ContiguousSeriesReader::Inside(const SeriesTarget& target) const {
  Box box = BoxOf(plan_, target.group, target.selection);
  for (size_t d = 0; d < box.size(); ++d) {
    box[d].end = std::min(box[d].end, variable_.extents[d]);
  }
  return box;
}

int64_t ContiguousSeriesReader::SpanFrom(const Box& box, size_t d) const {
  int64_t span = 1;
  for (; d < box.size(); ++d) span += (box[d].size() - 1) * strides_[d];
  return span;
}

size_t ContiguousSeriesReader::ReadDimension(const Box& box) const {
  size_t d = box.size();
  while (d > 0) {
    const int64_t gap = strides_[d - 1] - SpanFrom(box, d);
    if (gap * plan_.element_bytes > kPartGapBytes ||
        SpanFrom(box, d - 1) * plan_.element_bytes > kPartBytes) {
      break;
    }
    --d;
  }
  return d;
}

uint64_t ContiguousSeriesReader::AddressOf(const Box& box) const {
  int64_t element = 0;
  for (size_t d = 0; d < box.size(); ++d) element += box[d].begin * strides_[d];
  return dataset_->storage.address +
         static_cast<uint64_t>(element * plan_.element_bytes);
}

void ContiguousSeriesReader::WillRead(const SeriesTarget& target,
                                      ReadScratch* /*scratch*/) {
  const Box box = Inside(target);
  if (IsEmpty(box) ||
      dataset_->storage.address == StorageChunk::kNeverWritten) {
    return;
  }
  const size_t read_dimension = ReadDimension(box);
  int64_t parts = 1;
  for (size_t d = 0; d < read_dimension; ++d) parts *= box[d].size();
  if (parts > kMostHints) return;
  Box part = box;
  for (size_t d = 0; d < read_dimension; ++d) part[d].end = part[d].begin + 1;
  const int64_t bytes = SpanFrom(box, read_dimension) * plan_.element_bytes;
  for (int64_t i = 0; i < parts; ++i) {
    file_.bytes->WillRead(AddressOf(part), static_cast<uint64_t>(bytes));
    for (size_t d = read_dimension; d-- > 0;) {
      part[d].begin = part[d].end++;
      if (part[d].begin < box[d].end) break;
      part[d].begin = box[d].begin;
      part[d].end = part[d].begin + 1;
    }
  }
}

absl::Status ContiguousSeriesReader::Read(const SeriesTarget& target,
                                          ReadScratch* scratch) {
  const Placement placement(plan_, target.group, target.selection,
                            target.pixel_stride);
  const Box box = Inside(target);
  const Box whole = BoxOf(plan_, target.group, target.selection);
  const bool written = dataset_->storage.address != StorageChunk::kNeverWritten;
  if (box != whole || !written) {
    placement.Fill(whole, variable_.plan.fill.data(), target.first_pixel);
  }
  if (IsEmpty(box) || !written) return absl::OkStatus();
  const size_t read_dimension = ReadDimension(box);
  int64_t useful = 1;
  for (size_t d = read_dimension; d < box.size(); ++d) useful *= box[d].size();
  const int64_t numbers = kHeldBytes / plan_.element_bytes;
  const int64_t span = SpanFrom(box, read_dimension);
  const int64_t most = std::max<int64_t>(numbers / span, 1) * useful;
  for (PieceIterator it(plan_, box, std::min(most, numbers)); !it.done();
       it.Next()) {
    INTERNODE_RETURN_IF_ERROR(
        ReadPiece(target, placement, it.piece(), read_dimension, scratch));
  }
  return absl::OkStatus();
}

absl::Status ContiguousSeriesReader::ReadPiece(const SeriesTarget& target,
                                               const Placement& placement,
                                               const Box& piece,
                                               size_t read_dimension,
                                               ReadScratch* scratch) const {
  const int64_t bytes = plan_.element_bytes;
  const int64_t part_bytes = SpanFrom(piece, read_dimension) * bytes;
  const int64_t slot_bytes = (part_bytes + 63) / 64 * 64 + kPartShift;
  int64_t parts = 1;
  absl::InlinedVector<CopyDimension, 8> dims;
  for (size_t d = piece.size(); d-- > 0;) {
    const bool inner = d >= read_dimension;
    dims.push_back(
        {.count = piece[d].size(),
         .source_stride = inner ? strides_[d] * bytes : parts * slot_bytes,
         .target_stride = placement.stride(d)});
    if (!inner) parts *= piece[d].size();
  }
  for (const Placement::Repeat& repeat : placement.repeats()) {
    dims.push_back({repeat.count, 0, repeat.stride});
  }
  std::byte* const staging =
      scratch->staging.Reserve(static_cast<size_t>(parts * slot_bytes));
  Box part = piece;
  for (size_t d = 0; d < read_dimension; ++d) part[d].end = part[d].begin + 1;
  for (int64_t i = 0; i < parts; ++i) {
    const absl::Span<std::byte> slot(staging + i * slot_bytes,
                                     static_cast<size_t>(part_bytes));
    absl::Status status = file_.bytes->ReadAt(AddressOf(part), slot);
    if (!status.ok()) {
      return absl::Status(
          status.code(),
          absl::StrCat("cannot read variable '", info_.name, "' of '",
                       file_.path, "' at ", BoxText(info_, part), ": ",
                       status.message()));
    }
    if (variable_.plan.pipeline.swapped) {
      SwapBytes(slot, static_cast<size_t>(bytes));
    }
    for (size_t d = read_dimension; d-- > 0;) {
      part[d].begin = part[d].end++;
      if (part[d].begin < piece[d].end) break;
      part[d].begin = piece[d].begin;
      part[d].end = part[d].begin + 1;
    }
  }
  scratch->counters.read_bytes += parts * part_bytes;
  StridedCopy(dims, bytes, staging,
              target.first_pixel + placement.OffsetOf(piece));
  return absl::OkStatus();
}

}  // namespace internode::cube
