#ifndef INTERNODE_CUBE_FILTER_PIPELINE_H_
#define INTERNODE_CUBE_FILTER_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace internode::cube {

// The filters of HDF5 that are undone without the library.
enum class ChunkFilter { kDeflate, kShuffle, kFletcher32 };

// How the storage chunks of a dataset become bytes in the file.
struct FilterPipeline {
  // In the order in which they were applied; deflate at most once, so that all
  // sizes on the way back are known before.
  std::vector<ChunkFilter> filters = {};
  // Of a number: 1, 2, 4 or 8.
  size_t element_bytes = 1;
  // The numbers' bytes are the other way round than this machine's.
  bool swapped = false;
  // Of a whole storage chunk, unfiltered.
  size_t chunk_bytes = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_FILTER_PIPELINE_H_
