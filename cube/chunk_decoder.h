#ifndef INTERNODE_CUBE_CHUNK_DECODER_H_
#define INTERNODE_CUBE_CHUNK_DECODER_H_

#include <array>
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
  // A storage chunk as it is in the file. Filter i is left out if bit i of
  // `filter_mask` is set.
  struct Stored {
    absl::Span<const std::byte> bytes;
    uint32_t filter_mask = 0;
  };

  ChunkDecoder();
  ~ChunkDecoder();
  ChunkDecoder(const ChunkDecoder&) = delete;
  ChunkDecoder& operator=(const ChunkDecoder&) = delete;

  // The most bytes that a storage chunk of `pipeline` may have in the file. A
  // larger one is damaged: no compressor makes that much of so little.
  static size_t MostStoredBytes(const FilterPipeline& pipeline);

  // A storage chunk to be decoded to `target`, which has room for
  // pipeline->chunk_bytes and Buffer::kSlack more, and does not overlap it.
  struct Chunk {
    const FilterPipeline* pipeline = nullptr;
    Stored stored = {};
    // The form may be kPlanes, if the numbers were shuffled first.
    bool planes = false;
    std::byte* target = nullptr;
  };

  // Decodes a storage chunk, and returns the form in which it is. The scratch
  // memory that is used on the way stays below twice the chunk.
  //
  // Errors: kDataLoss, with what is wrong: "the deflated data are damaged". The
  // target is unspecified then. Throws std::bad_alloc.
  absl::StatusOr<ChunkForm> Decode(const Chunk& chunk);

  // As Decode, of two at once, which takes less time than one after the other
  // where they are deflated.
  using Forms = std::array<absl::StatusOr<ChunkForm>, 2>;
  Forms DecodeTwo(const Chunk& first, const Chunk& second);

  // What the scratch memory takes.
  size_t scratch_bytes() const;

 private:
  struct Inflater;

  std::unique_ptr<Inflater> inflater_;
  // Of the first of two chunks, and of the second.
  std::array<std::array<Buffer, 2>, 2> scratch_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_DECODER_H_
