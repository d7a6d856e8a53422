#include "cube/chunk_scatter.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/cache_line.h"
#include "base/round_up.h"
#include "cube/series_transpose.h"
#include "cube/streaming_copy.h"
#include "cube/strided_copy.h"

namespace internode::cube {
namespace {

using ScatterDimensions = absl::InlinedVector<ScatterDimension, 6>;

// Series that are written in one go.
constexpr size_t kStrip = 16;

// What is turned in the processor's cache before it is written past it: so much
// of each series. Where they begin at lines of the cache it is less, so that
// what is read of all rows stays in the cache from strip to strip; where they
// do not, the two lines at the ends, which are written twice, weigh more.
constexpr size_t kTurnedLines = 4 * size_t{kCacheLineBytes};
constexpr size_t kTurnedBytes = 1024;
// From one series to the next, so that equal places in them do not share cache
// lines.
constexpr size_t kTurnedStride = kTurnedBytes + kCacheLineBytes;

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
         ScatterScratch* scratch)
      : shape_(shape),
        sources_(sources),
        rows_(scratch->rows),
        gather_(scratch->gather) {
    if (shape_.streaming) {
      turned_ = scratch->turned.Reserve(kStrip * kTurnedStride);
    }
    planes_ = shape.form == ChunkForm::kPlanes;
    step_ = planes_ ? 1 : static_cast<int64_t>(shape.element_bytes);
    gathered_pixels_ = std::max<int64_t>(kCacheLineBytes / step_, kStrip);
    if (planes_) {
      high_plane_ =
          shape.swapped ? -shape.chunk_elements : shape.chunk_elements;
    }
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
    if (planes_ && shape_.swapped) {
      for (const std::byte*& row : rows_) row += shape_.chunk_elements;
    }
    const auto rows = absl::MakeConstSpan(rows_);
    const size_t most = turned_ == nullptr ? rows.size() : MostTurned(target);
    for (size_t t = 0; t < rows.size(); t += most) {
      TurnPiece(rows.subspan(t, most), target + t * shape_.element_bytes,
                t + most < rows.size() ? 0 : shape_.padding);
    }
  }

  // How many numbers of a series are turned before they are written past the
  // cache.
  size_t MostTurned(const std::byte* target) const {
    auto places = reinterpret_cast<uintptr_t>(target);
    for (const ScatterDimension& dim : run_) {
      places |= static_cast<uintptr_t>(dim.target_stride);
    }
    const bool at_lines = places % kCacheLineBytes == 0;
    return (at_lines ? kTurnedLines : kTurnedBytes) / shape_.element_bytes;
  }

  // `padding`: behind this piece of each series.
  void TurnPiece(absl::Span<const std::byte* const> rows, std::byte* target,
                 int64_t padding) const {
    const PixelRows source = {rows, high_plane_};
    // What may be written of it: the processor has to read a line before it
    // writes a part.
    const auto bytes = static_cast<int64_t>(rows.size() * shape_.element_bytes);
    const int64_t whole = RoundUp(bytes, kCacheLineBytes);
    const auto written =
        static_cast<size_t>(whole - bytes <= padding ? whole : bytes);
    const bool gathers = turned_ != nullptr && run_length_ > int64_t{kStrip} &&
                         RowGather::Helps(source);
    PixelRows gathered;
    absl::InlinedVector<int64_t, 6> index(run_.size(), 0);
    std::array<std::byte*, kStrip> series;
    for (int64_t done = 0; done < run_length_;) {
      const int64_t ahead = gathers ? done % gathered_pixels_ : done;
      if (gathers && ahead == 0) gathered = Gather(source, done);
      const auto count =
          static_cast<size_t>(std::min<int64_t>(kStrip, run_length_ - done));
      for (size_t p = 0; p < count;) {
        p += NextSeries(absl::MakeSpan(series).subspan(p, count - p), &index,
                        &target);
      }
      const auto strip = absl::MakeConstSpan(series.data(), count);
      const PixelRows& from = gathers ? gathered : source;
      if (turned_ == nullptr) {
        Transpose(from, static_cast<size_t>(ahead), strip);
      } else {
        StreamStrip(from, static_cast<size_t>(ahead), strip, written);
      }
      done += static_cast<int64_t>(count);
    }
  }

  // The next pixels of all rows, from `pixel` on.
  PixelRows Gather(const PixelRows& source, int64_t pixel) const {
    const int64_t pixels = std::min(gathered_pixels_, run_length_ - pixel);
    return gather_.Gather(source, static_cast<size_t>(pixel * step_),
                          static_cast<size_t>(pixels * step_));
  }

  void Transpose(const PixelRows& source, size_t pixel,
                 absl::Span<std::byte* const> series) const {
    if (planes_) {
      TransposePlanes(source.rows, source.high_plane, pixel, series);
    } else {
      TransposeNumbers(source.rows, shape_.element_bytes, pixel, series);
    }
  }

  // As Transpose, past the cache; `bytes` are written, of which those behind
  // the numbers have no meaning.
  void StreamStrip(const PixelRows& source, size_t pixel,
                   absl::Span<std::byte* const> series, size_t bytes) const {
    std::array<std::byte*, kStrip> turned;
    for (size_t p = 0; p < kStrip; ++p) turned[p] = turned_ + p * kTurnedStride;
    Transpose(source, pixel, absl::MakeConstSpan(turned.data(), series.size()));
    for (size_t p = 0; p < series.size(); ++p) {
      StreamingCopy(turned[p], bytes, series[p]);
    }
  }

  // Where the series of the next pixels of the run go, up to the end of its
  // fastest dimension. Returns how many.
  size_t NextSeries(absl::Span<std::byte*> series,
                    absl::InlinedVector<int64_t, 6>* index,
                    std::byte** target) const {
    if (run_.empty()) {
      series[0] = *target;
      return 1;
    }
    const ScatterDimension& fastest = run_[0];
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(series.size()),
                                            fastest.count - (*index)[0]);
    for (int64_t p = 0; p < count; ++p) {
      series[static_cast<size_t>(p)] = *target + p * fastest.target_stride;
    }
    *target += count * fastest.target_stride;
    (*index)[0] += count;
    for (size_t d = 0; d < run_.size() && (*index)[d] == run_[d].count; ++d) {
      *target -= run_[d].count * run_[d].target_stride;
      (*index)[d] = 0;
      if (d + 1 == run_.size()) break;
      *target += run_[d + 1].target_stride;
      ++(*index)[d + 1];
    }
    return static_cast<size_t>(count);
  }

  const ScatterShape& shape_;
  const absl::Span<const ScatterSource> sources_;
  std::vector<const std::byte*>& rows_;
  RowGather& gather_;
  // Null: numbers are turned in their places.
  std::byte* turned_ = nullptr;
  bool planes_ = false;
  // As PixelRows::high_plane.
  std::ptrdiff_t high_plane_ = 0;
  // Bytes from one pixel of a row to the next.
  int64_t step_ = 1;
  // Pixels that are gathered at a time: whole lines of rows, and whole strips.
  int64_t gathered_pixels_ = 1;
  // Fastest first.
  ScatterDimensions run_;
  int64_t run_length_ = 1;
  // Fastest first; nothing depends on their order.
  ScatterDimensions outer_;
};

}  // namespace

void ScatterChunks(const ScatterShape& shape,
                   absl::Span<const ScatterSource> sources,
                   ScatterScratch* scratch, std::byte* target) {
  const bool empty =
      std::any_of(shape.dims.begin(), shape.dims.end(),
                  [](const ScatterDimension& dim) { return dim.count == 0; });
  if (sources.empty() || empty) return;
  if (shape.series < 0) return CopyChunks(shape, sources, target);
  Turner(shape, sources, scratch).Run(target);
}

}  // namespace internode::cube
