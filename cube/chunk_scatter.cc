#include "cube/chunk_scatter.h"

#include <algorithm>
#include <array>

#include "cube/series_transpose.h"
#include "cube/strided_copy.h"

namespace internode::cube {
namespace {

using ScatterDimensions = absl::InlinedVector<ScatterDimension, 6>;

// Series that are written in one go.
constexpr size_t kStrip = 16;

// Without a turn: chunk by chunk.
void CopyChunks(const ScatterShape& shape,
                absl::Span<const ScatterSource> sources, std::byte* target) {
  const auto bytes = static_cast<int64_t>(shape.element_bytes);
  absl::InlinedVector<CopyDimension, 8> dims;
  for (const ScatterDimension& dim : shape.dims) {
    dims.push_back({dim.count, dim.source_stride * bytes, dim.target_stride});
  }
  for (const ScatterSource& source : sources) {
    StridedCopy(dims, bytes, source.chunk + shape.first * bytes, target);
  }
}

class Turner {
 public:
  Turner(const ScatterShape& shape, absl::Span<const ScatterSource> sources,
         std::vector<const std::byte*>* rows)
      : shape_(shape), sources_(sources), rows_(*rows) {
    planes_ = shape.form == ChunkForm::kPlanes;
    step_ = planes_ ? 1 : static_cast<int64_t>(shape.element_bytes);
    SplitDimensions();
  }

  void Run(std::byte* target) { Outer(0, shape_.first, target); }

 private:
  // Takes the dimensions from the last on that lie without gaps in the chunk
  // into run_, the others into outer_.
  void SplitDimensions() {
    int64_t next = 1;
    bool open = true;
    for (size_t d = shape_.dims.size(); d-- > 0;) {
      if (static_cast<int>(d) == shape_.series) continue;
      const ScatterDimension& dim = shape_.dims[d];
      if (dim.count == 1) continue;
      if (dim.source_stride == 0 || !open || dim.source_stride != next) {
        outer_.push_back(dim);
        open = open && dim.source_stride == 0;
        continue;
      }
      run_.push_back(dim);
      next *= dim.count;
    }
    run_length_ = run_.empty() ? 1 : next;
  }

  void Outer(size_t d, int64_t first, std::byte* target) {
    if (d == outer_.size()) return TurnRun(first, target);
    const ScatterDimension& dim = outer_[d];
    for (int64_t i = 0; i < dim.count; ++i) {
      Outer(d + 1, first + i * dim.source_stride,
            target + i * dim.target_stride);
    }
  }

  void TurnRun(int64_t first, std::byte* target) {
    const int64_t stride =
        shape_.dims[static_cast<size_t>(shape_.series)].source_stride;
    rows_.clear();
    for (const ScatterSource& source : sources_) {
      const std::byte* row =
          source.chunk + (first + source.first * stride) * step_;
      for (int64_t t = 0; t < source.count; ++t, row += stride * step_) {
        rows_.push_back(row);
      }
    }
    std::ptrdiff_t high = shape_.chunk_elements;
    if (planes_ && shape_.swapped) {
      for (const std::byte*& row : rows_) row += high;
      high = -high;
    }
    absl::InlinedVector<int64_t, 6> index(run_.size(), 0);
    std::array<std::byte*, kStrip> series;
    for (int64_t done = 0; done < run_length_;) {
      const auto count =
          static_cast<size_t>(std::min<int64_t>(kStrip, run_length_ - done));
      for (size_t p = 0; p < count; ++p) {
        series[p] = target;
        Advance(&index, &target);
      }
      const auto strip = absl::MakeConstSpan(series.data(), count);
      if (planes_) {
        TransposePlanes(rows_, high, strip);
      } else {
        TransposeNumbers(rows_, shape_.element_bytes, strip);
      }
      const std::ptrdiff_t step = static_cast<std::ptrdiff_t>(count) * step_;
      for (const std::byte*& row : rows_) row += step;
      done += static_cast<int64_t>(count);
    }
  }

  // To the next pixel of the run.
  void Advance(absl::InlinedVector<int64_t, 6>* index,
               std::byte** target) const {
    for (size_t d = 0; d < run_.size(); ++d) {
      *target += run_[d].target_stride;
      if (++(*index)[d] < run_[d].count) return;
      *target -= run_[d].count * run_[d].target_stride;
      (*index)[d] = 0;
    }
  }

  const ScatterShape& shape_;
  const absl::Span<const ScatterSource> sources_;
  std::vector<const std::byte*>& rows_;
  bool planes_ = false;
  // Bytes from one pixel of a row to the next.
  int64_t step_ = 1;
  // Fastest first.
  ScatterDimensions run_;
  int64_t run_length_ = 1;
  // Fastest first; nothing depends on their order.
  ScatterDimensions outer_;
};

}  // namespace

void ScatterChunks(const ScatterShape& shape,
                   absl::Span<const ScatterSource> sources,
                   std::vector<const std::byte*>* rows, std::byte* target) {
  const bool empty =
      std::any_of(shape.dims.begin(), shape.dims.end(),
                  [](const ScatterDimension& dim) { return dim.count == 0; });
  if (sources.empty() || empty) return;
  if (shape.series < 0) return CopyChunks(shape, sources, target);
  Turner(shape, sources, rows).Run(target);
}

}  // namespace internode::cube
