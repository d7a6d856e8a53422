#include "core/shared_storage.h"

#include <algorithm>
#include <numeric>

namespace internode::core {
namespace {

// Chunks of `cut` from one boundary of storage chunks of `unit` to the next: 1
// where every chunk ends on one. `size` is the dimension's.
int64_t ChunksPerUnit(const DimensionCut& cut, int64_t unit, int64_t size) {
  // A storage chunk that is as long as the dimension has one boundary.
  unit = std::min(unit, size);
  if (unit <= 1 || cut.chunk % unit == 0) return 1;
  return unit / std::gcd(unit, cut.chunk);
}

int64_t NumChunks(const DimensionCut& cut) {
  return (cut.end - 1 - cut.origin) / cut.chunk -
         (cut.begin - cut.origin) / cut.chunk + 1;
}

}  // namespace

int64_t TasksSharingStorage(const CubeInfo& cube, const BlockRequest& request,
                            const ChunkGrid& grid) {
  if (grid.num_chunks() <= 1) return 1;
  // Tasks from one index of dimension d to the next.
  int64_t stride = 1;
  int64_t together = 1;
  for (size_t d = grid.dims().size(); d-- > 0;) {
    const Dimension& dim = grid.dims()[d];
    const DimensionCut& cut = grid.cuts()[d];
    int64_t chunks = 1;
    for (const SeriesRequest& series : request.series) {
      const VariableInfo* variable = cube.FindVariable(series.variable);
      if (variable == nullptr ||
          variable->storage_chunks.size() != variable->dims.size()) {
        continue;
      }
      for (size_t v = 0; v < variable->dims.size(); ++v) {
        if (variable->dims[v].name != dim.name) continue;
        chunks = std::max(
            chunks, ChunksPerUnit(cut, variable->storage_chunks[v], dim.size));
      }
    }
    const int64_t count = NumChunks(cut);
    if (chunks > 1) together = stride * std::min(chunks, count);
    stride *= count;
  }
  return std::min(together, grid.num_chunks());
}

}  // namespace internode::core
