#ifndef INTERNODE_CUBE_RECHUNK_H_
#define INTERNODE_CUBE_RECHUNK_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/dimension.h"
#include "cube/cube.h"

namespace internode::cube {

struct RechunkOptions {
  // Per dimension; -1: the whole. See ChooseStorageChunks for those not named.
  core::Dimensions storage_chunks;
  // 0 (neither shuffled nor compressed) to 9.
  int deflate = 1;
  // Threads that read, decompress and compress; the file does not depend on
  // them. Fewer are used where the memory is not enough for all.
  int threads = 1;
  // For everything that grows with the cube: blocks, tiles, storage chunks
  // under work and the reader's cache. The file does not depend on it.
  int64_t memory_bytes = int64_t{1} << 30;
  // Where scratch files go; empty: the folder of the new file.
  std::string scratch_folder;
  bool overwrite = false;
  // Looked at between blocks; set: kCancelled.
  const std::atomic<bool>* cancel = nullptr;
  // Raw bytes done and in all, from any thread, one call at a time.
  std::function<void(int64_t, int64_t)> progress;
};

// What became of one variable.
struct RechunkedVariable {
  std::string name;
  std::vector<int64_t> source_chunks;
  std::vector<int64_t> storage_chunks;
  int64_t raw_bytes = 0;
  // Of the new storage chunks.
  int64_t stored_bytes = 0;
  bool used_scratch = false;
  // How often an old storage chunk was read, on average.
  double reads_per_chunk = 1;
};

struct RechunkReport {
  std::vector<RechunkedVariable> variables;
  // What the copy lacks, and what was chosen; a sentence each.
  std::vector<std::string> notes;
  int threads = 1;
  int64_t raw_bytes = 0;
  int64_t file_bytes = 0;
};

// Writes `cube` to `path` with other storage chunks; all else stays what it
// was (see CubeCopy). Storage chunks that hold nothing but the fill value are
// not written. `path` may be the cube's own.
//
// Errors: kInvalidArgument for options out of range and as ChooseStorageChunks;
// kResourceExhausted, not enough memory for one storage chunk, with what is
// needed, or no room for the file or for scratch; kCancelled;
// kFailedPrecondition, the cube has changed meanwhile; as CubeCopy and
// BlockReader.
absl::StatusOr<RechunkReport> Rechunk(std::shared_ptr<const Cube> cube,
                                      absl::string_view path,
                                      const RechunkOptions& options);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_RECHUNK_H_
