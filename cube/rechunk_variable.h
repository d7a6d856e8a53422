#ifndef INTERNODE_CUBE_RECHUNK_VARIABLE_H_
#define INTERNODE_CUBE_RECHUNK_VARIABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/selection.h"
#include "cube/block_reader.h"
#include "cube/cube.h"
#include "cube/cube_copy.h"
#include "cube/netcdf_writer.h"
#include "cube/piece_store.h"
#include "cube/rechunk_plan.h"

namespace internode::cube {

// What a thread needs to copy storage chunks, kept from one to the next.
struct RechunkDesk {
  explicit RechunkDesk(int deflate) : encoder(deflate) {}

  core::Block block;
  std::vector<std::byte> piece;
  std::vector<uint8_t> chunk;
  // Empty: nothing but the fill value.
  std::vector<uint8_t> encoded;
  ChunkEncoder encoder;
};

// Bytes that a desk holds, and the reader for it, in copying by `plan`.
int64_t DeskBytes(const RechunkPlan& plan, const std::vector<RechunkAxis>& axes,
                  int64_t element_bytes);

// The two halves of copying one variable: blocks into the pieces of a store,
// and those into encoded storage chunks. Thread-safe with one desk per thread.
class VariableRechunker {
 public:
  // `cube` and `variable`, a number of CubeInfo; `cache_bytes` are for the
  // reader. Errors as NewBlockReader.
  static absl::StatusOr<std::unique_ptr<VariableRechunker>> Create(
      std::shared_ptr<const Cube> cube, size_t variable,
      std::vector<RechunkAxis> axes, RechunkPlan plan, int64_t cache_bytes);

  int64_t element_bytes() const { return element_bytes_; }
  // The tiles of the variable; the blocks and new storage chunks of a tile.
  core::ChunkGrid Tiles() const;
  core::ChunkGrid Blocks(const core::Selection& tile) const;
  core::ChunkGrid Chunks(const core::Selection& tile) const;

  // Reads `block` of `tile` into its pieces in `store`.
  absl::Status Read(const core::Selection& tile, const core::Selection& block,
                    PieceStore* store, RechunkDesk* desk) const;

  // Encodes the new storage chunk `chunk` of `tile`, whose blocks were read.
  // What lies beyond the variable's edge is `fill`.
  absl::Status Encode(const core::Selection& tile, const core::Selection& chunk,
                      absl::Span<const uint8_t> fill, PieceStore* store,
                      RechunkDesk* desk) const;

 private:
  VariableRechunker() = default;

  core::Selection ChunkAround(const core::Selection& piece) const;
  int64_t PlaceOf(const core::Selection& tile,
                  const core::Selection& piece) const;
  std::vector<int64_t> Strides(const std::vector<int64_t>& sizes) const;

  std::vector<RechunkAxis> axes_;
  // Sizes of the new storage chunks.
  std::vector<int64_t> targets_;
  int64_t element_bytes_ = 0;
  RechunkPlan plan_;
  std::unique_ptr<BlockReader> reader_;
  // Of each axis, whether the reader's pixels hold all of it.
  std::vector<bool> in_pixel_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_RECHUNK_VARIABLE_H_
