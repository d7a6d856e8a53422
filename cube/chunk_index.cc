#include "cube/chunk_index.h"

#include <algorithm>

namespace internode::cube {

int64_t ChunkIndex::memory_bytes() const {
  return static_cast<int64_t>(sizeof(*this) +
                              dense_.capacity() * sizeof(StorageChunk) +
                              sparse_.capacity() * sizeof(Entry));
}

StorageChunk ChunkIndex::Find(int64_t ordinal) const {
  switch (form_) {
    case Form::kDense:
      return dense_[static_cast<size_t>(ordinal)];
    case Form::kImplicit:
      return FindImplicit(ordinal);
    case Form::kSparse:
      break;
  }
  const auto found = std::lower_bound(
      sparse_.begin(), sparse_.end(), ordinal,
      [](const Entry& entry, int64_t value) { return entry.ordinal < value; });
  if (found == sparse_.end() || found->ordinal != ordinal) return {};
  return found->chunk;
}

StorageChunk ChunkIndex::FindImplicit(int64_t ordinal) const {
  uint64_t place = 0;
  for (size_t d = grid_.counts.size(); d-- > 0;) {
    place +=
        static_cast<uint64_t>(ordinal % grid_.counts[d] * implicit_.strides[d]);
    ordinal /= grid_.counts[d];
  }
  return {.address = implicit_.address + place * implicit_.bytes,
          .bytes = implicit_.bytes};
}

void ChunkIndex::ForEachWritten(
    absl::FunctionRef<void(int64_t, const StorageChunk&)> visit) const {
  switch (form_) {
    case Form::kDense:
      for (size_t i = 0; i < dense_.size(); ++i) {
        if (dense_[i].written()) visit(static_cast<int64_t>(i), dense_[i]);
      }
      return;
    case Form::kImplicit:
      for (int64_t i = 0; i < num_chunks(); ++i) visit(i, FindImplicit(i));
      return;
    case Form::kSparse:
      for (const Entry& entry : sparse_) visit(entry.ordinal, entry.chunk);
  }
}

}  // namespace internode::cube
