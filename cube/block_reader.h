#ifndef INTERNODE_CUBE_BLOCK_READER_H_
#define INTERNODE_CUBE_BLOCK_READER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/selection.h"
#include "cube/cube.h"

namespace internode::cube {

// Reads the blocks of one BlockRequest. Thread-safe: Read may run on several
// threads at once, each with a block of its own.
class BlockReader {
 public:
  virtual ~BlockReader() = default;

  // The same for all blocks; valid as long as the reader.
  virtual const core::BlockLayout& layout() const = 0;

  // Reads the data of `selection`, one extent per non-core dimension of the
  // request. Numbers are as stored: neither masked nor scaled. Elements that
  // the file lacks (storage chunks never written, an unlimited dimension that
  // is longer in another variable) hold the file's fill value.
  //
  // Errors, after which the reader may be used for other selections:
  // kDataLoss, a storage chunk that cannot be decoded, with file and variable;
  // kFailedPrecondition, the file has changed since the cube was opened;
  // kInvalidArgument, a selection outside the cube; kResourceExhausted, a
  // block too large for this machine's memory.
  //
  // Allocates nothing once blocks of the same size have been read.
  virtual absl::Status Read(const core::Selection& selection,
                            core::Block* block) = 0;
};

class ReadPool;

// What the storage chunks that blocks share may take where nobody says: an
// eighth of this machine's memory, but at most 1 GiB.
int64_t UsualCacheBytes();

struct BlockReaderOptions {
  // What the readers of a process share, so that their memory together stays
  // within one limit (cube/read_pool.h). Null: the reader has one of its own,
  // of cache_bytes.
  std::shared_ptr<ReadPool> pool = nullptr;
  // For storage chunks, decompressed, that several blocks share; taken only
  // when blocks cut through storage chunks. Where variables are read through
  // the HDF5 library, they share so much too.
  int64_t cache_bytes = UsualCacheBytes();
  // Blocks of more bytes are written past the processor's cache, which has no
  // room for them beside what they are read from.
  int64_t cached_block_bytes = int64_t{1} << 20;
  // Everything is read through the HDF5 library: to compare with.
  bool library_only = false;
};

// Errors: kNotFound, an unknown variable; kInvalidArgument, a variable with a
// dimension that is neither core nor non-core, a core dimension that the cube
// lacks (a non-core one that it lacks is one of another cube's, along which
// the data are repeated), a dimension whose sizes differ between variables, a
// band that does not exist, a pixel of more than 2^40 bytes.
absl::StatusOr<std::unique_ptr<BlockReader>> NewBlockReader(
    std::shared_ptr<const Cube> cube, const core::BlockRequest& request,
    const BlockReaderOptions& options = {});

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BLOCK_READER_H_
