#ifndef INTERNODE_CORE_CHUNK_GRID_H_
#define INTERNODE_CORE_CHUNK_GRID_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "core/dimension.h"
#include "core/selection.h"

namespace internode::core {

// Chunk sizes as users give them:
//   NoChunks      every element once, as an index per dimension
//   int64_t       ranges of that size in every dimension
//   ChunkMapping  per dimension; a dimension not named gets ranges of size 1
struct NoChunks {
  friend bool operator==(NoChunks, NoChunks) = default;
};
using ChunkMapping = std::vector<std::pair<std::string, int64_t>>;
using ChunkSizes = std::variant<NoChunks, int64_t, ChunkMapping>;

// How one dimension is cut: [begin, end) into ranges of `chunk`, whose
// boundaries lie at the multiples of `chunk` counted from `origin`; so the
// first range is shorter when `begin` is not on a boundary, and the last where
// `end` is not. 0 <= origin <= begin < origin + chunk, begin <= end, chunk > 0.
struct DimensionCut {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t chunk = 1;
  int64_t origin = 0;

  friend bool operator==(const DimensionCut&, const DimensionCut&) = default;
};

// The non-core dimensions cut by chunk sizes: n selections in row-major order
// (the last dimension varies fastest), of which number i is computed, not
// stored. A value; immutable after construction, and so thread-safe.
//
// Without dimensions there is exactly one, empty, selection. With a dimension
// of size 0 there is none.
class ChunkGrid {
 public:
  // No dimensions: one empty selection.
  ChunkGrid() = default;

  // Cuts all of `dims`. Errors (kInvalidArgument): a chunk size below 1, a
  // mapping that names a dimension that is not in `dims` or names one twice,
  // two dimensions of one name, a negative size, more than 2^63 - 1 pixels.
  static absl::StatusOr<ChunkGrid> Create(const Dimensions& dims,
                                          const ChunkSizes& sizes);

  // Cuts part of `dims`: one DimensionCut per dimension, within its size.
  // Selections count from the start of the dimension, not of the part.
  static absl::StatusOr<ChunkGrid> Create(const Dimensions& dims,
                                          std::vector<DimensionCut> cuts);

  const Dimensions& dims() const { return dims_; }
  const std::vector<DimensionCut>& cuts() const { return cuts_; }
  // Selections hold indices instead of ranges (NoChunks).
  bool by_index() const { return by_index_; }

  int64_t num_chunks() const { return num_chunks_; }
  // Of all chunks together.
  int64_t num_pixels() const { return num_pixels_; }
  // Of the largest chunk.
  int64_t max_chunk_pixels() const;

  // Chunk `i`, 0 <= i < num_chunks(). O(number of dimensions).
  Selection Chunk(int64_t i) const;

  // The number of the chunk that holds the pixel at `index`, one entry per
  // dimension, inside the cuts.
  int64_t ChunkOf(const std::vector<int64_t>& index) const;

  // A random-access range over the selections.
  class Iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Selection;
    using difference_type = std::ptrdiff_t;
    using reference = Selection;
    using pointer = void;

    Iterator() = default;
    Iterator(const ChunkGrid* grid, int64_t i) : grid_(grid), i_(i) {}

    Selection operator*() const { return grid_->Chunk(i_); }
    Selection operator[](difference_type n) const {
      return grid_->Chunk(i_ + n);
    }
    Iterator& operator++() { return *this += 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type n) {
      i_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) {
      i_ -= n;
      return *this;
    }
    friend Iterator operator+(Iterator it, difference_type n) {
      return it += n;
    }
    friend Iterator operator+(difference_type n, Iterator it) {
      return it += n;
    }
    friend Iterator operator-(Iterator it, difference_type n) {
      return it -= n;
    }
    friend difference_type operator-(const Iterator& a, const Iterator& b) {
      return a.i_ - b.i_;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.i_ == b.i_;
    }
    friend auto operator<=>(const Iterator& a, const Iterator& b) {
      return a.i_ <=> b.i_;
    }

   private:
    const ChunkGrid* grid_ = nullptr;
    int64_t i_ = 0;
  };
  // Valid as long as the grid.
  Iterator begin() const { return Iterator(this, 0); }
  Iterator end() const { return Iterator(this, num_chunks_); }

  friend bool operator==(const ChunkGrid&, const ChunkGrid&) = default;

 private:
  absl::Status Finish();

  Dimensions dims_;
  std::vector<DimensionCut> cuts_;
  // Number of chunks along each dimension.
  std::vector<int64_t> counts_;
  bool by_index_ = false;
  int64_t num_chunks_ = 1;
  int64_t num_pixels_ = 1;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_CHUNK_GRID_H_
