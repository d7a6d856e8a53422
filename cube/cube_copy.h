#ifndef INTERNODE_CUBE_CUBE_COPY_H_
#define INTERNODE_CUBE_CUBE_COPY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/dimension.h"
#include "cube/cube.h"

namespace internode::cube {

// A new file with all that a cube's file holds: groups, links, named types,
// attributes, coordinates, dimension scales, datasets that are no variables.
// The variables of the cube have new storage chunks, whose contents the caller
// writes; they are little-endian, shuffled and compressed as ChunkEncoder does
// it, and keep shape, type, fill value and attributes.
//
// The file comes into being as OutputFile says. The same cube and the same
// chunks in the same order give the same bytes. Thread-compatible.
class CubeCopy {
 public:
  // `storage_chunks` has a size for each dimension of the cube. Errors: as
  // OutputFile::Create; kDataLoss, a part of the cube that cannot be read.
  static absl::StatusOr<std::unique_ptr<CubeCopy>> Create(
      std::shared_ptr<const Cube> cube, const core::Dimensions& storage_chunks,
      int deflate, absl::string_view path, bool overwrite);
  // Removes what was written unless Finish succeeded.
  ~CubeCopy();
  CubeCopy(const CubeCopy&) = delete;
  CubeCopy& operator=(const CubeCopy&) = delete;

  // What the copy lacks, a sentence each.
  const std::vector<std::string>& notes() const;

  // Variable number `variable` of CubeInfo: the sizes of its new storage
  // chunks, and its fill value, of the size of its numbers.
  const std::vector<int64_t>& chunk_sizes(size_t variable) const;
  absl::Span<const uint8_t> fill(size_t variable) const;

  // One storage chunk, encoded; `offset` is the index of its first element. A
  // chunk that is never written reads as the fill value.
  absl::Status WriteChunk(size_t variable, const std::vector<int64_t>& offset,
                          absl::Span<const uint8_t> encoded);

  // Completes the file. Errors as OutputFile::Commit; nothing else may be
  // called afterwards.
  absl::Status Finish();

 private:
  struct Impl;
  explicit CubeCopy(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CUBE_COPY_H_
