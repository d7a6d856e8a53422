#ifndef INTERNODE_CORE_BLOCK_H_
#define INTERNODE_CORE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "base/memory.h"
#include "core/data_type.h"
#include "core/selection.h"

namespace internode::core {

// One series that a block holds for every pixel: a variable, or one band of a
// variable with a band dimension, over the remaining core dimensions.
struct SeriesRequest {
  // As CubeInfo names it.
  std::string variable;
  // Index along the variable's band dimension; -1 where it has none, or where
  // the band dimension is not a core dimension.
  int64_t band = -1;

  friend bool operator==(const SeriesRequest&, const SeriesRequest&) = default;
};

// Which data a job's blocks hold. The same for all blocks of a job.
struct BlockRequest {
  std::vector<SeriesRequest> series;
  // In the order in which a pixel's numbers lie, the last fastest. A band
  // dimension among them is spread over `series` and not part of the shape.
  std::vector<std::string> core_dims;
  // In the order of the chunk grid; a variable may lack some of them, and is
  // then the same for all indices of those.
  std::vector<std::string> noncore_dims;
};

// Where a series lies within a pixel's data.
struct SeriesLayout {
  DataType type = DataType::kInt16;
  // Bytes from the start of the pixel; a multiple of the type's size.
  int64_t offset = 0;
  // Numbers: the product of the sizes of the series' core dimensions.
  int64_t count = 0;

  friend bool operator==(const SeriesLayout&, const SeriesLayout&) = default;
};

// How a block lies in memory, pixel-major: pixel p starts at p * pixel_stride,
// and holds its series one after the other, each contiguous. Series of the
// same variable that follow each other in the request lie without a gap, so
// that together they are an array (band, time). A block begins at a cache
// line; where series are long, so does each pixel, and in it the first series
// of each variable.
struct BlockLayout {
  std::vector<SeriesLayout> series;
  // Bytes; a multiple of 8.
  int64_t pixel_stride = 0;

  friend bool operator==(const BlockLayout&, const BlockLayout&) = default;
};

// The data of one selection, all core dimensions whole. Pixels are in
// row-major order of the selection. Reused from task to task, so that steady
// state allocates nothing. Thread-compatible.
class Block {
 public:
  // Makes room for `num_pixels` pixels of `layout`. The contents are
  // unspecified. `layout` must outlive the block's use.
  void Reset(const BlockLayout* layout, const Selection& selection) {
    layout_ = layout;
    selection_ = selection;
    num_pixels_ = selection.num_pixels();
    const auto bytes = static_cast<size_t>(num_pixels_ * layout->pixel_stride);
    if (bytes > bytes_) {
      memory_ = Memory();
      bytes_ = 0;
      memory_ = Memory(bytes);
      bytes_ = bytes;
    }
  }

  const BlockLayout& layout() const { return *layout_; }
  const Selection& selection() const { return selection_; }
  int64_t num_pixels() const { return num_pixels_; }
  // So many bytes are there, for this block and the next ones.
  int64_t memory_bytes() const { return static_cast<int64_t>(bytes_); }

  std::byte* mutable_pixel(int64_t p) {
    return memory_.data() + p * layout_->pixel_stride;
  }
  const std::byte* pixel(int64_t p) const {
    return memory_.data() + p * layout_->pixel_stride;
  }

  // Series `s` of pixel `p`. T is the series' C++ type.
  template <typename T>
  absl::Span<const T> Series(int64_t p, size_t s) const {
    const SeriesLayout& series = layout_->series[s];
    return absl::MakeConstSpan(
        reinterpret_cast<const T*>(pixel(p) + series.offset),
        static_cast<size_t>(series.count));
  }

 private:
  const BlockLayout* layout_ = nullptr;
  Selection selection_;
  int64_t num_pixels_ = 0;
  Memory memory_;
  size_t bytes_ = 0;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_BLOCK_H_
