#ifndef INTERNODE_CUBE_CHUNK_SCATTER_H_
#define INTERNODE_CUBE_CHUNK_SCATTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"

#include "cube/buffer.h"
#include "cube/chunk_decoder.h"
#include "cube/row_gather.h"

namespace internode::cube {

// Along one dimension: how many numbers are taken, how many numbers of the
// storage chunk lie from one to the next (0: the same one again), and how many
// bytes of the block.
struct ScatterDimension {
  int64_t count = 0;
  int64_t source_stride = 0;
  int64_t target_stride = 0;
};

// The part that is taken of storage chunks, and how it lies in a block.
struct ScatterShape {
  size_t element_bytes = 1;
  // kPlanes: of 2-byte numbers only.
  ChunkForm form = ChunkForm::kNumbers;
  // kPlanes: the high bytes come first.
  bool swapped = false;
  // Numbers of a storage chunk.
  int64_t chunk_elements = 0;
  // The number of the storage chunk that comes first, its place along the
  // series aside.
  int64_t first = 0;
  // In storage order; those that the variable lacks last.
  absl::InlinedVector<ScatterDimension, 6> dims;
  // The dimension whose numbers lie one after the other in the block; -1 where
  // there is none, or where it is the last one of the storage too, so that
  // nothing is to be turned. Its count is in the sources.
  int series = -1;
  // As SeriesTarget::streaming; where nothing is turned, it is left alone.
  bool streaming = false;
  // Bytes of the block behind each series that the sources end, which may be
  // overwritten.
  int64_t padding = 0;
};

// What ScatterChunks needs on the way, kept for the next call.
struct ScatterScratch {
  std::vector<const std::byte*> rows;
  // A piece of some series.
  Buffer turned;
  RowGather gather;
};

// One storage chunk, and which part of it along the series. The sources of one
// call follow each other in the series.
struct ScatterSource {
  const std::byte* chunk = nullptr;
  int64_t first = 0;
  int64_t count = 0;
};

// Puts numbers of decoded storage chunks, which have Buffer::kSlack readable
// bytes behind them, into a block. `target`: the place of the first number of
// the first source.
void ScatterChunks(const ScatterShape& shape,
                   absl::Span<const ScatterSource> sources,
                   ScatterScratch* scratch, std::byte* target);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_SCATTER_H_
