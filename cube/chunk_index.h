#ifndef INTERNODE_CUBE_CHUNK_INDEX_H_
#define INTERNODE_CUBE_CHUNK_INDEX_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace internode::cube {

// One storage chunk as it lies in the file. 16 bytes.
struct StorageChunk {
  static constexpr uint64_t kNeverWritten = UINT64_MAX;

  // Offset in the file of the first byte, or kNeverWritten.
  uint64_t address = kNeverWritten;
  // As stored: after the filters.
  uint32_t bytes = 0;
  // Bit i: filter i of the pipeline was left out for this chunk.
  uint32_t filter_mask = 0;

  bool written() const { return address != kNeverWritten; }
  friend bool operator==(const StorageChunk&, const StorageChunk&) = default;
};

// The grid of the storage chunks of a dataset: along dimension d there are
// ceil(extents[d] / chunk[d]) of them. Ordinals count them in row-major order,
// the last dimension fastest.
struct StorageGrid {
  std::vector<int64_t> extents = {};
  std::vector<int64_t> chunk = {};
  std::vector<int64_t> counts = {};
  // The product of the counts; 0 if any extent is 0.
  int64_t num_chunks = 0;
};

// Where each storage chunk of one dataset lies. Every chunk that it lists lies
// within the file, whatever the file says. Immutable, and so thread-safe; it
// takes 16 bytes per chunk of the grid, or 24 bytes per written chunk where few
// are, or nothing where addresses follow from the ordinal.
class ChunkIndex {
 public:
  // An index of no chunks.
  ChunkIndex() = default;

  const StorageGrid& grid() const { return grid_; }
  int64_t num_chunks() const { return grid_.num_chunks; }
  int64_t num_written() const { return num_written_; }
  // Of all written chunks together, and of the largest.
  uint64_t stored_bytes() const { return stored_bytes_; }
  uint32_t largest_bytes() const { return largest_bytes_; }
  // What the index itself takes.
  int64_t memory_bytes() const;

  // Expects 0 <= ordinal < num_chunks(). In constant time, but for the sparse
  // form: by bisection.
  StorageChunk Find(int64_t ordinal) const;

  // Calls `visit` with each written chunk, by ascending ordinal.
  void ForEachWritten(
      absl::FunctionRef<void(int64_t ordinal, const StorageChunk& chunk)> visit)
      const;

 private:
  friend class ChunkIndexBuilder;

  struct Entry {
    int64_t ordinal = 0;
    StorageChunk chunk;
  };
  // Chunks that lie one after the other in the order of the dataset's largest
  // extents.
  struct Implicit {
    uint64_t address = 0;
    uint32_t bytes = 0;
    // Per dimension, chunks from one to the next.
    std::vector<int64_t> strides = {};
  };
  enum class Form { kDense, kSparse, kImplicit };

  StorageChunk FindImplicit(int64_t ordinal) const;

  StorageGrid grid_;
  Form form_ = Form::kSparse;
  std::vector<StorageChunk> dense_;
  // By ascending ordinal.
  std::vector<Entry> sparse_;
  Implicit implicit_;
  int64_t num_written_ = 0;
  uint64_t stored_bytes_ = 0;
  uint32_t largest_bytes_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_INDEX_H_
