#ifndef INTERNODE_CUBE_REPEATED_CHUNK_H_
#define INTERNODE_CUBE_REPEATED_CHUNK_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

#include "cube/chunk_decoder.h"

namespace internode::cube {

// Remembers where a storage chunk of few stored bytes was decoded to. What is
// stored as the same bytes is the same numbers: where no scene covers a tile,
// storage chunks are fill alone, and nothing of most dates has to be decoded.
// Thread-compatible.
class RepeatedChunk {
 public:
  // Whether `stored` is what was kept last; then chunk() and form() are its.
  bool Is(absl::Span<const std::byte> stored, uint32_t filter_mask) const {
    return chunk_ != nullptr && filter_mask == filter_mask_ &&
           stored.size() == size_ &&
           std::equal(stored.begin(), stored.end(), stored_.begin());
  }
  const std::byte* chunk() const { return chunk_; }
  ChunkForm form() const { return form_; }

  // Keeps `stored`, if it is small, also beside the `chunk_bytes` that it was
  // decoded to: then it is likely to come again. These are at `chunk`, and stay
  // there until Forget.
  void Keep(absl::Span<const std::byte> stored, uint32_t filter_mask,
            size_t chunk_bytes, const std::byte* chunk, ChunkForm form) {
    if (stored.size() > std::min(stored_.size(), chunk_bytes / 16)) return;
    std::copy(stored.begin(), stored.end(), stored_.begin());
    size_ = stored.size();
    filter_mask_ = filter_mask;
    chunk_ = chunk;
    form_ = form;
  }

  void Forget() { chunk_ = nullptr; }

 private:
  // Enough for a storage chunk of 1 MiB of the same number, deflated.
  static constexpr size_t kMostBytes = 2048;

  std::array<std::byte, kMostBytes> stored_;
  size_t size_ = 0;
  uint32_t filter_mask_ = 0;
  // Null: nothing is kept.
  const std::byte* chunk_ = nullptr;
  ChunkForm form_ = ChunkForm::kNumbers;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_REPEATED_CHUNK_H_
