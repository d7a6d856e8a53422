#include "cube/simulated_tile.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace internode::cube {
namespace {

// By SimulatedSight: clear, water, shadow, snow, cloud, fill.
constexpr std::array<uint8_t, 6> kCfmaskCodes = {0, 1, 2, 3, 4, 255};
// Landsat ARD, Collection 1: a bit for the class, and the confidence in clouds
// in bits 6 and 7.
constexpr std::array<uint16_t, 6> kArdCodes = {66, 68, 72, 80, 224, 1};

constexpr int32_t kNoDay = std::numeric_limits<int32_t>::min();

template <typename T>
void Fill(T value, std::vector<uint8_t>* bytes) {
  for (size_t at = 0; at < bytes->size(); at += sizeof(T)) {
    std::memcpy(bytes->data() + at, &value, sizeof(T));
  }
}

template <typename T>
void Store(T value, size_t index, std::vector<uint8_t>* bytes) {
  std::memcpy(bytes->data() + index * sizeof(T), &value, sizeof(T));
}

size_t PaddedDates(size_t dates, int64_t chunk) {
  const auto c = static_cast<size_t>(chunk);
  return (dates + c - 1) / c * c;
}

}  // namespace

TileMaker::TileMaker(const PixelSimulator* simulator, const TileShape& shape,
                     const SimulatedCube& cube, int deflate)
    : simulator_(simulator),
      shape_(shape),
      cube_(cube),
      encoder_(deflate),
      area_(static_cast<size_t>(shape.row_chunk * shape.column_chunk)),
      padded_dates_(PaddedDates(simulator->dates().size(), shape.time_chunk)),
      qa_bytes_(cube.qa_kind == SimulatedQa::kArd ? 2 : 1),
      bands_(kSimulatedBands, std::vector<uint8_t>(area_ * padded_dates_ * 2)),
      qa_(area_ * padded_dates_ * qa_bytes_),
      counts_(area_),
      days_(area_ * kMostBreaks * 4),
      magnitudes_(area_ * kMostBreaks * kSimulatedBands * 2) {}

void TileMaker::Clear() {
  chunks_.clear();
  for (std::vector<uint8_t>& band : bands_) Fill(kSimulatedNodata, &band);
  if (qa_bytes_ == 2) {
    Fill(kArdCodes.back(), &qa_);
  } else {
    Fill(kCfmaskCodes.back(), &qa_);
  }
  Fill(uint8_t{0}, &counts_);
  Fill(kNoDay, &days_);
  Fill(kSimulatedNodata, &magnitudes_);
}

void TileMaker::Make(int64_t tile) {
  Clear();
  first_row_ = tile / shape_.tile_columns() * shape_.row_chunk;
  first_column_ = tile % shape_.tile_columns() * shape_.column_chunk;
  const int64_t rows = std::min(shape_.row_chunk, shape_.rows - first_row_);
  const int64_t columns =
      std::min(shape_.column_chunk, shape_.columns - first_column_);
  num_pixels_ = rows * columns;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      simulator_->Simulate(first_row_ + y, first_column_ + x, &pixel_);
      Hold(pixel_, static_cast<size_t>(y * shape_.column_chunk + x));
    }
  }
  for (size_t b = 0; b < kSimulatedBands; ++b) {
    EncodeSeries(cube_.bands[b], static_cast<int64_t>(b), bands_[b], 2);
  }
  EncodeSeries(cube_.qa, -1, qa_, static_cast<int64_t>(qa_bytes_));
  EncodeTruth(cube_.break_count, counts_, 1, 0);
  EncodeTruth(cube_.break_date, days_, 4, 1);
  EncodeTruth(cube_.break_magnitude, magnitudes_, 2, 2);
}

void TileMaker::Hold(const SimulatedPixel& pixel, size_t at) {
  const size_t dates = simulator_->dates().size();
  for (size_t b = 0; b < kSimulatedBands; ++b) {
    const int16_t* values = pixel.values.data() + b * dates;
    for (size_t d = 0; d < dates; ++d) {
      Store(values[d], d * area_ + at, &bands_[b]);
    }
  }
  for (size_t d = 0; d < dates; ++d) {
    const auto sight = static_cast<size_t>(pixel.sights[d]);
    if (qa_bytes_ == 2) {
      Store(kArdCodes[sight], d * area_ + at, &qa_);
    } else {
      Store(kCfmaskCodes[sight], d * area_ + at, &qa_);
    }
  }
  Store(static_cast<uint8_t>(pixel.break_count), at, &counts_);
  for (size_t i = 0; i < static_cast<size_t>(pixel.break_count); ++i) {
    Store(pixel.break_days[i], at * kMostBreaks + i, &days_);
    for (size_t b = 0; b < kSimulatedBands; ++b) {
      Store(pixel.magnitudes[i][b],
            (at * kMostBreaks + i) * kSimulatedBands + b, &magnitudes_);
    }
  }
}

EncodedChunk* TileMaker::AddChunk(int variable) {
  chunks_.emplace_back();
  chunks_.back().variable = variable;
  return &chunks_.back();
}

void TileMaker::AppendPlace(std::vector<int64_t>* offset) const {
  if (cube_.layout != SimulatedLayout::kSamples) offset->push_back(first_row_);
  offset->push_back(first_column_);
}

void TileMaker::EncodeSeries(int variable, int64_t band,
                             const std::vector<uint8_t>& raw,
                             int64_t number_bytes) {
  const size_t dates = simulator_->dates().size();
  const size_t bytes = static_cast<size_t>(shape_.time_chunk) * area_ *
                       static_cast<size_t>(number_bytes);
  const auto step = static_cast<size_t>(shape_.time_chunk);
  for (size_t d = 0; d < dates; d += step) {
    EncodedChunk* chunk = AddChunk(variable);
    if (band >= 0 && cube_.layout != SimulatedLayout::kVariables) {
      chunk->offset.push_back(band);
    }
    chunk->offset.push_back(static_cast<int64_t>(d));
    AppendPlace(&chunk->offset);
    encoder_.Encode(absl::MakeConstSpan(raw).subspan(d / step * bytes, bytes),
                    number_bytes, &chunk->bytes);
  }
}

void TileMaker::EncodeTruth(int variable, const std::vector<uint8_t>& raw,
                            int64_t number_bytes, size_t more_dims) {
  EncodedChunk* chunk = AddChunk(variable);
  AppendPlace(&chunk->offset);
  chunk->offset.insert(chunk->offset.end(), more_dims, 0);
  encoder_.Encode(raw, number_bytes, &chunk->bytes);
}

}  // namespace internode::cube
