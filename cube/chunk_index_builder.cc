#include "cube/chunk_index_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace internode::cube {
namespace {

// Grids of so many chunks take little memory, written or not.
constexpr int64_t kSmallGrid = 4096;
// Larger ones are known to be written before there is memory for all of them.
constexpr int64_t kLargeGrid = int64_t{1} << 22;
// The least that any chunk index says of a chunk: its address.
constexpr int64_t kLeastRecord = 8;

absl::Status TwiceError(int64_t ordinal) {
  return absl::DataLossError(
      absl::StrCat("the chunk index has storage chunk ", ordinal, " twice"));
}

bool StartDense(int64_t num_chunks, uint64_t file_bytes) {
  if (num_chunks <= kSmallGrid) return true;
  return num_chunks <= kLargeGrid &&
         static_cast<uint64_t>(num_chunks * kLeastRecord) <= file_bytes;
}

}  // namespace

ChunkIndexBuilder::ChunkIndexBuilder(StorageGrid grid, uint64_t file_bytes)
    : file_bytes_(file_bytes) {
  index_.grid_ = std::move(grid);
  if (StartDense(index_.num_chunks(), file_bytes)) {
    index_.form_ = ChunkIndex::Form::kDense;
    index_.dense_.resize(static_cast<size_t>(index_.num_chunks()));
  }
}

absl::Status ChunkIndexBuilder::Add(absl::Span<const int64_t> place,
                                    const StorageChunk& chunk) {
  if (!chunk.written()) return absl::OkStatus();
  int64_t ordinal = 0;
  for (size_t d = 0; d < place.size(); ++d) {
    const int64_t count = index_.grid_.counts[d];
    if (place[d] < 0 || place[d] >= count) return absl::OkStatus();
    ordinal = ordinal * count + place[d];
  }
  if (chunk.bytes == 0 || chunk.address > file_bytes_ ||
      chunk.bytes > file_bytes_ - chunk.address) {
    return absl::DataLossError(absl::StrCat(
        "storage chunk ", ordinal, ": ", chunk.bytes, " bytes at offset ",
        chunk.address, " are not within the ", file_bytes_, " of the file"));
  }
  index_.num_written_ += 1;
  index_.stored_bytes_ += chunk.bytes;
  index_.largest_bytes_ = std::max(index_.largest_bytes_, chunk.bytes);
  if (index_.stored_bytes_ > file_bytes_) {
    return absl::DataLossError("storage chunks overlap");
  }
  if (index_.form_ == ChunkIndex::Form::kSparse) {
    index_.sparse_.push_back({ordinal, chunk});
    return absl::OkStatus();
  }
  StorageChunk& entry = index_.dense_[static_cast<size_t>(ordinal)];
  if (entry.written()) return TwiceError(ordinal);
  entry = chunk;
  return absl::OkStatus();
}

absl::StatusOr<ChunkIndex> ChunkIndexBuilder::Finish() {
  std::vector<ChunkIndex::Entry>& entries = index_.sparse_;
  const auto before = [](const ChunkIndex::Entry& a,
                         const ChunkIndex::Entry& b) {
    return a.ordinal < b.ordinal;
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::sort(entries.begin(), entries.end(), before);
  }
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].ordinal == entries[i - 1].ordinal) {
      return TwiceError(entries[i].ordinal);
    }
  }
  const auto num_entries = static_cast<int64_t>(entries.size());
  constexpr auto kDenseBytes = static_cast<int64_t>(sizeof(StorageChunk));
  constexpr auto kSparseBytes = static_cast<int64_t>(sizeof(ChunkIndex::Entry));
  if (num_entries > 0 &&
      index_.num_chunks() / kSparseBytes <= num_entries / kDenseBytes) {
    index_.form_ = ChunkIndex::Form::kDense;
    index_.dense_.resize(static_cast<size_t>(index_.num_chunks()));
    for (const ChunkIndex::Entry& entry : entries) {
      index_.dense_[static_cast<size_t>(entry.ordinal)] = entry.chunk;
    }
    entries = {};
  }
  entries.shrink_to_fit();
  return std::move(index_);
}

absl::StatusOr<ChunkIndex> ChunkIndexBuilder::Implicit(
    StorageGrid grid, absl::Span<const int64_t> max_counts, uint64_t address,
    uint32_t bytes, uint64_t file_bytes) {
  ChunkIndex index;
  index.form_ = ChunkIndex::Form::kImplicit;
  index.implicit_ = {.address = address, .bytes = bytes};
  index.implicit_.strides.resize(max_counts.size());
  int64_t all = 1;
  bool fits = true;
  for (size_t d = max_counts.size(); d-- > 0;) {
    index.implicit_.strides[d] = all;
    fits = fits && grid.counts[d] <= max_counts[d] &&
           !__builtin_mul_overflow(all, max_counts[d], &all);
  }
  uint64_t all_bytes = 0;
  if (!fits ||
      __builtin_mul_overflow(static_cast<uint64_t>(all), bytes, &all_bytes) ||
      address > file_bytes || all_bytes > file_bytes - address) {
    return absl::DataLossError("the storage chunks are not within the file");
  }
  index.num_written_ = grid.num_chunks;
  index.stored_bytes_ = static_cast<uint64_t>(grid.num_chunks) * bytes;
  index.largest_bytes_ = bytes;
  index.grid_ = std::move(grid);
  return index;
}

}  // namespace internode::cube
