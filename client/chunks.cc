#include "internode/chunks.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "base/status_macros.h"
#include "client/convert.h"
#include "core/chunk_grid.h"
#include "core/iter_chunks.h"

namespace internode {

Chunks::Chunks(std::shared_ptr<const core::ChunkGrid> grid)
    : grid_(std::move(grid)), size_(grid_->num_chunks()) {}

Selection Chunks::operator[](int64_t i) const {
  return client::FromCore(grid_->Chunk(i));
}

std::vector<Dimension> Chunks::dims() const {
  return client::FromCore(grid_->dims());
}

absl::StatusOr<Chunks> IterChunks(const std::vector<Dimension>& dim_sizes,
                                  const ChunkSizes& chunk_sizes) {
  INTERNODE_ASSIGN_OR_RETURN(
      core::ChunkGrid grid,
      core::IterChunks(client::ToCore(dim_sizes), client::ToCore(chunk_sizes)));
  return Chunks(std::make_shared<const core::ChunkGrid>(std::move(grid)));
}

absl::StatusOr<Chunks> IterNoncoreChunks(
    const std::vector<Dimension>& dim_sizes,
    const std::vector<std::string>& core_dims, const ChunkSizes& chunk_sizes) {
  INTERNODE_ASSIGN_OR_RETURN(
      core::ChunkGrid grid,
      core::IterNoncoreChunks(client::ToCore(dim_sizes), core_dims,
                              client::ToCore(chunk_sizes)));
  return Chunks(std::make_shared<const core::ChunkGrid>(std::move(grid)));
}

absl::StatusOr<Chunks> IterNoncoreChunks(
    const std::vector<Dimension>& dim_sizes, const std::string& core_dim,
    const ChunkSizes& chunk_sizes) {
  return IterNoncoreChunks(dim_sizes, std::vector<std::string>{core_dim},
                           chunk_sizes);
}

}  // namespace internode
