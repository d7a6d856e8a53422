#ifndef INTERNODE_CUBE_CHUNK_INDEX_BUILDER_H_
#define INTERNODE_CUBE_CHUNK_INDEX_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "cube/chunk_index.h"

namespace internode::cube {

// Puts a ChunkIndex together from chunks in any order. Holds memory for chunks
// that came, not for those that a large grid promises. Thread-compatible.
class ChunkIndexBuilder {
 public:
  // `file_bytes`: within which the chunks have to lie.
  ChunkIndexBuilder(StorageGrid grid, uint64_t file_bytes);

  // Adds the chunk whose number along each dimension is `place`. One outside
  // the grid, which a dataset that was shrunk may have, and one never written
  // are left out. kDataLoss: the chunk is not within the file, or is empty, or
  // came before; or all chunks together are larger than the file.
  absl::Status Add(absl::Span<const int64_t> place, const StorageChunk& chunk);

  // The index of what was added. kDataLoss: a chunk came twice. Nothing may be
  // called afterwards.
  absl::StatusOr<ChunkIndex> Finish();

  // An index of chunks of `bytes` bytes that lie one after the other from
  // `address` on, in row-major order of a grid with `max_counts` chunks along
  // each dimension. kDataLoss: they are not within the file, or the grid is
  // larger than that.
  static absl::StatusOr<ChunkIndex> Implicit(
      StorageGrid grid, absl::Span<const int64_t> max_counts, uint64_t address,
      uint32_t bytes, uint64_t file_bytes);

 private:
  ChunkIndex index_;
  const uint64_t file_bytes_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_INDEX_BUILDER_H_
