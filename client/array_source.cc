#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "client/convert.h"
#include "client/job_data.h"
#include "core/chunk_grid.h"
#include "core/data_type.h"
#include "functions/task_runner.h"
#include "internode/map_collect.h"

namespace internode::internal {
namespace {

// Pixels per task: enough to make a task's overhead small beside theirs.
constexpr int64_t kTaskPixels = 1024;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// How the pixels of one array are found in it. Offsets count numbers.
struct ArrayLayout {
  const std::byte* data = nullptr;
  size_t number_bytes = 0;
  std::vector<int64_t> core_shape;
  // One per non-core dimension of the whole; 0 for one that the array lacks.
  std::vector<int64_t> noncore_strides;
  // Of each of a pixel's numbers from its first.
  std::vector<int64_t> core_offsets;
  bool contiguous = false;
};

// The offsets of all elements over `shape` with `strides`, row-major.
std::vector<int64_t> OffsetsOf(const std::vector<int64_t>& shape,
                               const std::vector<int64_t>& strides) {
  std::vector<int64_t> offsets = {0};
  for (size_t d = 0; d < shape.size(); ++d) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * static_cast<size_t>(shape[d]));
    for (const int64_t offset : offsets) {
      for (int64_t i = 0; i < shape[d]; ++i) {
        next.push_back(offset + i * strides[d]);
      }
    }
    offsets = std::move(next);
  }
  return offsets;
}

ArrayLayout LayoutOf(const DataArray& array,
                     const std::vector<std::string>& core_dims,
                     const std::vector<Dimension>& noncore_dims) {
  ArrayLayout layout;
  layout.data = static_cast<const std::byte*>(array.data());
  layout.number_bytes = static_cast<size_t>(
      core::DataTypeBytes(static_cast<core::DataType>(array.type())));
  layout.noncore_strides.assign(noncore_dims.size(), 0);
  std::vector<int64_t> core_strides;
  int64_t stride = 1;
  for (size_t d = array.dims().size(); d-- > 0;) {
    const Dimension& dim = array.dims()[d];
    if (Contains(core_dims, dim.name)) {
      layout.core_shape.insert(layout.core_shape.begin(), dim.size);
      core_strides.insert(core_strides.begin(), stride);
    } else {
      const auto found = std::find_if(
          noncore_dims.begin(), noncore_dims.end(),
          [&](const Dimension& other) { return other.name == dim.name; });
      layout
          .noncore_strides[static_cast<size_t>(found - noncore_dims.begin())] =
          stride;
    }
    stride *= dim.size;
  }
  layout.core_offsets = OffsetsOf(layout.core_shape, core_strides);
  layout.contiguous = layout.core_offsets.empty() ||
                      layout.core_offsets.back() + 1 ==
                          static_cast<int64_t>(layout.core_offsets.size());
  return layout;
}

class ArraySource : public PixelSource {
 public:
  ArraySource(absl::Span<const DataArray> arrays,
              const std::vector<std::string>& core_dims,
              const std::vector<Dimension>& noncore_dims, core::ChunkGrid grid)
      : grid_(std::move(grid)) {
    for (const DataArray& array : arrays) {
      names_.push_back(array.name());
      types_.push_back(array.type());
      layouts_.push_back(LayoutOf(array, core_dims, noncore_dims));
    }
    for (const Dimension& dim : noncore_dims) dim_names_.push_back(dim.name);
  }

  int64_t num_tasks() const override {
    return grid_.num_chunks() / kTaskPixels +
           (grid_.num_chunks() % kTaskPixels == 0 ? 0 : 1);
  }
  int64_t num_pixels(int64_t task) const override {
    return std::min(kTaskPixels, grid_.num_chunks() - task * kTaskPixels);
  }
  std::vector<int64_t> first_index(int64_t task) const override {
    return client::PixelIndex(grid_.Chunk(task * kTaskPixels), 0);
  }
  std::string Place(const std::vector<int64_t>& index) const override {
    core::Selection selection;
    for (const int64_t i : index) {
      selection.extents.push_back(core::Extent::Index(i));
    }
    return functions::SelectionText(selection, dim_names_);
  }
  absl::StatusOr<std::unique_ptr<PixelReader>> NewReader() override {
    return std::make_unique<Reader>(this);
  }

 private:
  class Reader : public PixelReader {
   public:
    explicit Reader(const ArraySource* source)
        : source_(source), gathered_(source->layouts_.size()) {
      for (size_t a = 0; a < source->layouts_.size(); ++a) {
        const ArrayLayout& layout = source->layouts_[a];
        pixel_.AddSeries(source->names_[a], source->types_[a],
                         layout.core_shape);
        if (!layout.contiguous) {
          gathered_[a].resize(layout.core_offsets.size());
        }
      }
    }

    absl::Status Read(int64_t task, const Visitor& visit) override {
      const int64_t first = task * kTaskPixels;
      for (int64_t p = 0; p < source_->num_pixels(task); ++p) {
        const std::vector<int64_t> index =
            client::PixelIndex(source_->grid_.Chunk(first + p), 0);
        pixel_.SetIndex(index);
        for (size_t a = 0; a < gathered_.size(); ++a) {
          pixel_.SetData(a, DataOf(a, index));
        }
        visit(pixel_);
      }
      return absl::OkStatus();
    }

   private:
    const void* DataOf(size_t a, const std::vector<int64_t>& index) {
      const ArrayLayout& layout = source_->layouts_[a];
      int64_t offset = 0;
      for (size_t d = 0; d < index.size(); ++d) {
        offset += index[d] * layout.noncore_strides[d];
      }
      const size_t bytes = layout.number_bytes;
      const std::byte* first =
          layout.data + static_cast<size_t>(offset) * bytes;
      if (layout.contiguous) return first;
      auto* out = reinterpret_cast<std::byte*>(gathered_[a].data());
      for (const int64_t core_offset : layout.core_offsets) {
        std::memcpy(out, first + static_cast<size_t>(core_offset) * bytes,
                    bytes);
        out += bytes;
      }
      return gathered_[a].data();
    }

    const ArraySource* const source_;
    PixelView pixel_;
    // Of the arrays whose pixels are scattered; words, for their alignment.
    std::vector<std::vector<uint64_t>> gathered_;
  };

  core::ChunkGrid grid_;
  std::vector<std::string> names_;
  std::vector<std::string> dim_names_;
  std::vector<NumberType> types_;
  std::vector<ArrayLayout> layouts_;
};

const std::vector<double>* FindCoordinate(const DataArray& array,
                                          const std::string& dim) {
  for (const Coordinate& coordinate : array.coordinates()) {
    if (coordinate.dim == dim) return &coordinate.values;
  }
  return nullptr;
}

// Whether the dimension, which both have, is the same in both.
absl::Status CheckShared(const DataArray& a, const Dimension& dim,
                         const DataArray& b, int64_t other_size) {
  if (dim.size != other_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dimension '", dim.name, "' has size ", dim.size, " in array '",
        a.name(), "' and ", other_size, " in '", b.name(), "'"));
  }
  const std::vector<double>* left = FindCoordinate(a, dim.name);
  const std::vector<double>* right = FindCoordinate(b, dim.name);
  if (left == nullptr || right == nullptr || *left == *right) {
    return absl::OkStatus();
  }
  const auto differing =
      std::mismatch(left->begin(), left->end(), right->begin());
  return absl::InvalidArgumentError(
      absl::StrCat("coordinates of dimension '", dim.name,
                   "' differ between arrays '", a.name(), "' and '", b.name(),
                   "', first at ", differing.first - left->begin(), ": ",
                   *differing.first, " and ", *differing.second));
}

// The dimensions of all arrays, in order of first appearance.
absl::StatusOr<std::vector<Dimension>> SharedDimensions(
    absl::Span<const DataArray> arrays) {
  std::vector<Dimension> dims;
  for (size_t a = 0; a < arrays.size(); ++a) {
    INTERNODE_RETURN_IF_ERROR(arrays[a].Check());
    for (const Dimension& dim : arrays[a].dims()) {
      for (size_t b = 0; b < a; ++b) {
        for (const Dimension& other : arrays[b].dims()) {
          if (other.name != dim.name) continue;
          INTERNODE_RETURN_IF_ERROR(
              CheckShared(arrays[b], other, arrays[a], dim.size));
        }
      }
      const bool seen = std::any_of(
          dims.begin(), dims.end(),
          [&](const Dimension& other) { return other.name == dim.name; });
      if (!seen) dims.push_back(dim);
    }
  }
  return dims;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PixelSource>> SourceOfArrays(
    const std::vector<std::string>& core_dims,
    absl::Span<const DataArray> arrays) {
  if (arrays.empty()) {
    return absl::InvalidArgumentError("there are no data arguments");
  }
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Dimension> dims,
                             SharedDimensions(arrays));
  INTERNODE_ASSIGN_OR_RETURN(const Chunks pixels,
                             IterNoncoreChunks(dims, core_dims));
  const std::vector<Dimension> noncore_dims = pixels.dims();
  INTERNODE_ASSIGN_OR_RETURN(
      core::ChunkGrid grid,
      core::ChunkGrid::Create(client::ToCore(noncore_dims), core::NoChunks()));
  return std::make_unique<ArraySource>(arrays, core_dims, noncore_dims,
                                       std::move(grid));
}

}  // namespace internode::internal
