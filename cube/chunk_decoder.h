#ifndef INTERNODE_CUBE_CHUNK_DECODER_H_
#define INTERNODE_CUBE_CHUNK_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "cube/buffer.h"
#include "cube/filter_pipeline.h"

namespace internode::cube {

// How the numbers of a decoded storage chunk lie.
enum class ChunkForm {
  // One after the other, in this machine's byte order.
  kNumbers,
  // The first bytes of all numbers, as they are in the file, then the second
  // ones, …: shuffled. What turns the numbers round can do this on the way.
  kPlanes,
};

// Undoes the filters of storage chunks. Thread-compatible: one per thread.
class ChunkDecoder {
 public:
  ChunkDecoder();
  ~ChunkDecoder();
  ChunkDecoder(const ChunkDecoder&) = delete;
  ChunkDecoder& operator=(const ChunkDecoder&) = delete;

  // The most bytes that a storage chunk of `pipeline` may have in the file. A
  // larger one is damaged: no compressor makes that much of so little.
  static size_t MostStoredBytes(const FilterPipeline& pipeline);

  // Decodes `stored` to `target`, which has room for pipeline.chunk_bytes and
  // Buffer::kSlack more, and does not overlap it. Filter i is left out if bit
  // i of `filter_mask` is set. Returns the form in which the chunk is: kPlanes
  // only if `planes`, and if the numbers were shuffled first; the scratch
  // memory that is used on the way stays below twice the chunk.
  //
  // Errors: kDataLoss, with what is wrong: "the deflated data are damaged".
  // `target` is unspecified then. Throws std::bad_alloc.
  absl::StatusOr<ChunkForm> Decode(const FilterPipeline& pipeline,
                                   uint32_t filter_mask,
                                   absl::Span<const std::byte> stored,
                                   bool planes, std::byte* target);

  // What the scratch memory takes.
  size_t scratch_bytes() const {
    return scratch_[0].capacity() + scratch_[1].capacity();
  }

 private:
  struct Inflater;

  // The buffer that `bytes` does not lie in.
  Buffer& OtherScratch(absl::Span<const std::byte> bytes);

  std::unique_ptr<Inflater> inflater_;
  Buffer scratch_[2];
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_DECODER_H_
