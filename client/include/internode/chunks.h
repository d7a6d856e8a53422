#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_CHUNKS_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_CHUNKS_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

// The selections that cut an array into pieces:
//
//   auto chunks = internode::IterChunks({{"y", 5}, {"x", 7}},
//                                       internode::ChunkMapping{{"y", 3}});
//   if (!chunks.ok()) …
//   for (const internode::Selection& selection : *chunks) …

namespace internode::core {
class ChunkGrid;
}

namespace internode {

// A named axis and its size.
struct Dimension {
  std::string name;
  int64_t size = 0;

  friend bool operator==(const Dimension&, const Dimension&) = default;
};

// What is selected of one dimension: the half-open range [begin, end), or,
// where `is_index`, the single index `begin`, which drops the dimension from
// the selected data.
struct Extent {
  int64_t begin = 0;
  int64_t end = 0;
  bool is_index = false;

  int64_t size() const { return end - begin; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// One extent per dimension, in the order of the dimensions.
using Selection = std::vector<Extent>;

// No chunk sizes: every element once, as an index per dimension.
struct NoChunks {};
// Sizes per dimension; a dimension that it lacks gets ranges of size 1.
using ChunkMapping = std::vector<std::pair<std::string, int64_t>>;
// One number: ranges of that size in every dimension.
using ChunkSizes = std::variant<NoChunks, int64_t, ChunkMapping>;

// The selections in row-major order, the last dimension fastest. Each is
// computed when it is asked for: a billion of them take no memory. The last
// range of a dimension is cut at the dimension's size. A dimension of size 0
// gives no selection; no dimensions at all give exactly one, empty.
//
// A value; thread-safe.
class Chunks {
 public:
  explicit Chunks(std::shared_ptr<const core::ChunkGrid> grid);

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Selection `i`, 0 <= i < size().
  Selection operator[](int64_t i) const;
  // What the extents of a selection belong to.
  std::vector<Dimension> dims() const;

  class Iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Selection;
    using difference_type = std::ptrdiff_t;
    using reference = Selection;
    using pointer = void;

    Iterator() = default;
    Iterator(const Chunks* chunks, int64_t i) : chunks_(chunks), i_(i) {}

    Selection operator*() const { return (*chunks_)[i_]; }
    Selection operator[](difference_type n) const { return (*chunks_)[i_ + n]; }
    Iterator& operator++() { return *this += 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type n) {
      i_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
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
    const Chunks* chunks_ = nullptr;
    int64_t i_ = 0;
  };
  // Valid as long as the range.
  Iterator begin() const { return Iterator(this, 0); }
  Iterator end() const { return Iterator(this, size_); }

 private:
  std::shared_ptr<const core::ChunkGrid> grid_;
  int64_t size_ = 0;
};

// The selections of `dim_sizes` cut by `chunk_sizes`. Errors
// (kInvalidArgument), each naming the dimension: a chunk size below 1, a chunk
// size for a name that is not a dimension, a dimension given twice, a negative
// size.
absl::StatusOr<Chunks> IterChunks(const std::vector<Dimension>& dim_sizes,
                                  const ChunkSizes& chunk_sizes = NoChunks());

// IterChunks over the dimensions of `dim_sizes` that are not in `core_dims`,
// in the data's own order. An empty list makes every dimension non-core. A
// core dimension that the data lacks is an error.
absl::StatusOr<Chunks> IterNoncoreChunks(
    const std::vector<Dimension>& dim_sizes,
    const std::vector<std::string>& core_dims,
    const ChunkSizes& chunk_sizes = NoChunks());
absl::StatusOr<Chunks> IterNoncoreChunks(
    const std::vector<Dimension>& dim_sizes, const std::string& core_dim,
    const ChunkSizes& chunk_sizes = NoChunks());

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_CHUNKS_H_
