#include "cube/segment_index_writer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

core::Dimensions AtLeastOne(const core::Dimensions& dims) {
  return dims.empty() ? core::Dimensions{{"", 1}} : dims;
}

void FillNumbers(int64_t value, size_t number_bytes,
                 std::vector<uint8_t>* bytes) {
  for (size_t at = 0; at < bytes->size(); at += number_bytes) {
    std::memcpy(bytes->data() + at, &value, number_bytes);
  }
}

}  // namespace

SegmentIndexWriter::SegmentIndexWriter(NetcdfWriter* file,
                                       const SegmentLayout* layout,
                                       const core::Dimensions& dims)
    : file_(file),
      layout_(layout),
      dims_(AtLeastOne(dims)),
      is_scalar_(dims.empty()),
      chunk_(IndexStorageChunk(dims_)),
      encoder_(kDeflate) {
  for (size_t d = 1; d < dims_.size(); ++d) width_ *= dims_[d].size;
}

absl::Status SegmentIndexWriter::AddVariables() {
  core::Attributes count = {
      {"long_name", std::string("number of segments of the pixel")}};
  if (layout_->is_samples) {
    count.push_back({"sample_dimension", std::string(kSegmentDim)});
  }
  INTERNODE_RETURN_IF_ERROR(
      AddPlane(layout_->count_name, core::DataType::kInt16, 0, count));
  INTERNODE_RETURN_IF_ERROR(AddPlane(
      std::string(kFirstName), core::DataType::kInt64, -1,
      {{"long_name", std::string("index along segment of the pixel's first "
                                 "segment; -1 = none")}}));
  return AddPlane(
      std::string(kStatusName), core::DataType::kInt8, 0,
      {{"long_name", std::string("what became of the pixel")},
       {"flag_values", std::vector<int64_t>{0, 1, 2, 3, 4}},
       {"flag_meanings", std::string("not_processed ok no_segments "
                                     "too_few_observations failed")}});
}

absl::Status SegmentIndexWriter::AddPlane(const std::string& name,
                                          core::DataType type, int64_t none,
                                          const core::Attributes& attributes) {
  NetcdfVariable variable;
  variable.name = name;
  variable.type = type;
  variable.attributes = attributes;
  variable.fill = static_cast<double>(none);
  // -1 and 0 are values as good as others: with _FillValue, xarray would turn
  // the integers into floating-point numbers.
  variable.fill_is_missing = false;
  if (!is_scalar_) {
    for (const core::Dimension& dim : dims_) variable.dims.push_back(dim.name);
    variable.storage_chunks = chunk_;
    variable.deflate = kDeflate;
  }
  if (layout_->has_crs) {
    variable.attributes.push_back(
        {"grid_mapping", std::string(kGridMappingName)});
  }
  Plane plane;
  INTERNODE_ASSIGN_OR_RETURN(plane.variable, file_->AddVariable(variable));
  plane.number_bytes = static_cast<size_t>(core::DataTypeBytes(type));
  plane.none = none;
  plane.band.resize(static_cast<size_t>(chunk_[0] * width_) *
                    plane.number_bytes);
  planes_.push_back(std::move(plane));
  return absl::OkStatus();
}

absl::Status SegmentIndexWriter::Write(SegmentIndex* index) {
  bool any = false;
  ClearBand();
  return index->VisitRows([&](const SegmentIndex::Row& row) -> absl::Status {
    const int64_t band_row = row.row % chunk_[0];
    if (row.within) {
      HoldRow(row, band_row);
      any = true;
    }
    const bool last = row.row + 1 == dims_[0].size;
    if (!any || (!last && band_row + 1 < chunk_[0])) return absl::OkStatus();
    any = false;
    INTERNODE_RETURN_IF_ERROR(WriteBand(row.row - band_row));
    ClearBand();
    return absl::OkStatus();
  });
}

void SegmentIndexWriter::ClearBand() {
  for (Plane& plane : planes_) {
    FillNumbers(plane.none, plane.number_bytes, &plane.band);
  }
}

void SegmentIndexWriter::HoldRow(const SegmentIndex::Row& row,
                                 int64_t band_row) {
  const void* numbers[] = {row.counts.data(), row.firsts.data(),
                           row.statuses.data()};
  for (size_t p = 0; p < planes_.size(); ++p) {
    const size_t bytes = static_cast<size_t>(width_) * planes_[p].number_bytes;
    std::memcpy(planes_[p].band.data() + static_cast<size_t>(band_row) * bytes,
                numbers[p], bytes);
  }
}

absl::Status SegmentIndexWriter::WriteBand(int64_t first_row) {
  if (is_scalar_) {
    for (const Plane& plane : planes_) {
      INTERNODE_RETURN_IF_ERROR(file_->WriteAll(plane.variable, plane.band));
    }
    return absl::OkStatus();
  }
  core::Selection tiles;
  for (size_t d = 0; d < dims_.size(); ++d) {
    const int64_t count = d == 0 ? 1 : (dims_[d].size - 1) / chunk_[d] + 1;
    tiles.extents.push_back(core::Extent::Range(0, count));
  }
  absl::Status status;
  VisitPixels(tiles, [&](const std::vector<int64_t>& tile) {
    if (!status.ok()) return;
    std::vector<int64_t> offset;
    for (size_t d = 0; d < tile.size(); ++d) {
      offset.push_back(tile[d] * chunk_[d]);
    }
    status = WriteTile(first_row, offset);
  });
  return status;
}

absl::Status SegmentIndexWriter::WriteTile(int64_t first_row,
                                           const std::vector<int64_t>& offset) {
  // The status is 0 where, and only where, nothing was processed.
  CopyTile(planes_.back(), offset, &tile_);
  const bool processed = std::any_of(
      tile_.begin(), tile_.end(), [](uint8_t status) { return status != 0; });
  if (!processed) return absl::OkStatus();
  std::vector<int64_t> at = offset;
  at[0] = first_row;
  for (const Plane& plane : planes_) {
    CopyTile(plane, offset, &tile_);
    encoder_.Encode(tile_, static_cast<int64_t>(plane.number_bytes), &encoded_);
    INTERNODE_RETURN_IF_ERROR(file_->WriteChunk(plane.variable, at, encoded_));
  }
  return absl::OkStatus();
}

void SegmentIndexWriter::CopyTile(const Plane& plane,
                                  const std::vector<int64_t>& offset,
                                  std::vector<uint8_t>* tile) const {
  int64_t size = 1;
  for (const int64_t edge : chunk_) size *= edge;
  tile->resize(static_cast<size_t>(size) * plane.number_bytes);
  FillNumbers(plane.none, plane.number_bytes, tile);
  // Lines along the last dimension.
  core::Selection lines;
  for (size_t d = 0; d + 1 < chunk_.size(); ++d) {
    const int64_t rest = d == 0 ? chunk_[0] : dims_[d].size - offset[d];
    lines.extents.push_back(core::Extent::Range(0, std::min(chunk_[d], rest)));
  }
  const size_t last = chunk_.size() - 1;
  const int64_t length =
      last == 0 ? chunk_[0]
                : std::min(chunk_[last], dims_[last].size - offset[last]);
  VisitPixels(lines, [&](const std::vector<int64_t>& line) {
    int64_t from = 0;
    int64_t to = 0;
    for (size_t d = 0; d <= last; ++d) {
      const int64_t i = d < last ? line[d] : 0;
      from = from * (d == 0 ? 1 : dims_[d].size) + offset[d] + i;
      to = to * chunk_[d] + i;
    }
    std::memcpy(
        tile->data() + static_cast<size_t>(to) * plane.number_bytes,
        plane.band.data() + static_cast<size_t>(from) * plane.number_bytes,
        static_cast<size_t>(length) * plane.number_bytes);
  });
}

}  // namespace internode::cube
