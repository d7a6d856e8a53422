#ifndef INTERNODE_CUBE_READ_SCRATCH_H_
#define INTERNODE_CUBE_READ_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"

#include "cube/buffer.h"
#include "cube/chunk_cache.h"
#include "cube/chunk_decoder.h"
#include "cube/chunk_index.h"
#include "cube/chunk_scatter.h"
#include "cube/read_pool.h"
#include "cube/repeated_chunk.h"

namespace internode::cube {

class SeriesReader;
struct SeriesGroup;

// What one thread needs while it reads a block, kept for the next block.
// Thread-compatible.
struct ReadScratch {
  // A storage chunk that a block needs.
  struct Cell {
    int64_t ordinal = 0;
    // In the grid, along the series.
    int64_t place = 0;
    StorageChunk stored;
    // It has to be read of the file, as far as is known.
    bool wanted = false;
  };
  // Cells [begin, end) that differ in their place along the series alone.
  struct Group {
    // In the grid.
    absl::InlinedVector<int64_t, 5> place;
    size_t begin = 0;
    size_t end = 0;
    // Where in the file the first cell lies.
    uint64_t address = 0;
    // The block has a part of them only.
    bool cut = false;
  };

  // Cells and groups that are read one after the other.
  struct Listed {
    std::vector<Cell> cells;
    std::vector<Group> groups;
  };
  // Bytes [begin, end) of the file, as stored.
  struct Window {
    Buffer bytes;
    uint64_t begin = 0;
    uint64_t end = 0;

    bool Has(uint64_t address, uint64_t count) const {
      return address >= begin && address <= end && count <= end - address;
    }
  };

  ChunkDecoder decoder;
  Listed listed;
  std::vector<ScatterSource> sources;
  ScatterScratch scatter;
  std::vector<ChunkCache::Chunk> held;
  Window window;
  // Decoded: the cells of a group.
  Buffer staging;
  // In the staging memory.
  RepeatedChunk repeated;

  // A cell that was decoded together with one before it: of the same reader
  // and series, or of those that are read next.
  struct Ahead {
    static constexpr size_t kNone = ~size_t{0};
    const SeriesReader* reader = nullptr;
    const SeriesGroup* series = nullptr;
    size_t cell = kNone;
    absl::StatusOr<ChunkForm> form = ChunkForm::kNumbers;
  };
  Ahead ahead;
  // As above; they take the places of these when the cell's turn comes.
  Listed listed_ahead;
  Window window_ahead;
  Buffer staging_ahead;

  // What was done and is not told yet.
  ReadCounters counters;

  // All memory that storage chunks are read and decoded to.
  int64_t bytes() const {
    return static_cast<int64_t>(decoder.scratch_bytes() +
                                window.bytes.capacity() +
                                window_ahead.bytes.capacity() +
                                staging.capacity() + staging_ahead.capacity());
  }
  // What of it the process's cache knows of.
  int64_t known_bytes = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_READ_SCRATCH_H_
