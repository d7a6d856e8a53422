#include "cube/segment_columns.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

// Attributes by which GIS programs see the records of 1-D columns as points.
void AddPointAttributes(const SegmentLayout& layout,
                        core::Attributes* attributes) {
  if (!layout.has_points) return;
  attributes->push_back({"geometry", std::string(kGeometryName)});
  attributes->push_back({"coordinates", std::string("segment_y segment_x")});
  if (layout.has_crs) {
    attributes->push_back({"grid_mapping", std::string(kGridMappingName)});
  }
}

int64_t RowBytes(const core::RecordSchema& schema,
                 const SegmentLayout& layout) {
  return schema.record_bytes() + 12 * static_cast<int64_t>(layout.axes.size());
}

}  // namespace

SegmentColumns::SegmentColumns(NetcdfWriter* file, const SegmentLayout* layout)
    : file_(file), layout_(layout), encoder_(kDeflate) {}

absl::Status SegmentColumns::AddVariables(const core::RecordSchema& schema) {
  capacity_ = RecordsPerStorageChunk(RowBytes(schema, *layout_));
  num_fields_ = schema.fields().size();
  for (int i = 0; i < static_cast<int>(num_fields_); ++i) {
    INTERNODE_RETURN_IF_ERROR(AddField(schema, i));
  }
  return AddPixelColumns();
}

absl::Status SegmentColumns::AddField(const core::RecordSchema& schema, int i) {
  const core::Field& field = schema.fields()[static_cast<size_t>(i)];
  NetcdfVariable variable;
  variable.name = field.name;
  variable.type = field.type;
  variable.dims = {std::string(kSegmentDim)};
  variable.dims.insert(variable.dims.end(), field.dims.begin(),
                       field.dims.end());
  variable.fill = field.fill;
  variable.attributes =
      Without(field.attributes,
              {"_FillValue", "geometry", "coordinates", "grid_mapping"});
  if (field.dims.empty()) AddPointAttributes(*layout_, &variable.attributes);
  return AddColumn(variable, schema.shape(i), schema.offset(i));
}

absl::Status SegmentColumns::AddPixelColumns() {
  for (const SegmentAxis& axis : layout_->axes) {
    NetcdfVariable variable;
    variable.name = axis.index_column;
    variable.type = core::DataType::kInt32;
    variable.dims = {std::string(kSegmentDim)};
    variable.attributes = {
        {"long_name",
         absl::StrCat("index along ", axis.dim, ", from 0, of the pixel")}};
    AddPointAttributes(*layout_, &variable.attributes);
    INTERNODE_RETURN_IF_ERROR(AddColumn(variable, {}, 0));
  }
  for (const SegmentAxis& axis : layout_->axes) {
    if (axis.coordinate_column.empty()) continue;
    NetcdfVariable variable;
    variable.name = axis.coordinate_column;
    variable.type = core::DataType::kFloat64;
    variable.dims = {std::string(kSegmentDim)};
    for (const char* name : {"long_name", "standard_name", "units"}) {
      const std::string text =
          core::TextAttribute(axis.coordinate->attributes, name);
      if (!text.empty()) variable.attributes.push_back({name, text});
    }
    variable.attributes.push_back(
        {"axis", std::string(axis.role == "y" ? "Y" : "X")});
    INTERNODE_RETURN_IF_ERROR(AddColumn(variable, {}, 0));
  }
  return absl::OkStatus();
}

absl::Status SegmentColumns::AddColumn(const NetcdfVariable& variable,
                                       const std::vector<int64_t>& shape,
                                       int64_t record_offset) {
  NetcdfVariable chunked = variable;
  chunked.storage_chunks = ColumnStorageChunk(capacity_, shape);
  chunked.deflate = kDeflate;
  Column column;
  INTERNODE_ASSIGN_OR_RETURN(column.variable, file_->AddVariable(chunked));
  column.number_bytes = core::DataTypeBytes(variable.type);
  column.run_bytes = column.number_bytes * (shape.empty() ? 1 : shape.back());
  column.record_offset = record_offset;
  core::Selection outer;
  for (size_t d = 0; d + 1 < shape.size(); ++d) {
    outer.extents.push_back(core::Extent::Range(0, shape[d]));
  }
  column.runs = outer.num_pixels();
  for (int64_t run = 0; run < column.runs; ++run) {
    std::vector<int64_t> offset(shape.size() + 1, 0);
    int64_t rest = run;
    for (size_t d = outer.extents.size(); d-- > 0;) {
      offset[d + 1] = rest % shape[d];
      rest /= shape[d];
    }
    column.run_offsets.push_back(std::move(offset));
  }
  column.held.resize(
      static_cast<size_t>(column.runs * column.run_bytes * capacity_));
  columns_.push_back(std::move(column));
  return absl::OkStatus();
}

namespace {

// Copies `count` pieces of kBytes bytes, `stride` bytes apart.
template <size_t kBytes>
void Gather(const uint8_t* from, size_t stride, int64_t count, uint8_t* to) {
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to, from, kBytes);
    from += stride;
    to += kBytes;
  }
}

void Gather(const uint8_t* from, size_t stride, int64_t count, uint8_t* to,
            size_t bytes) {
  switch (bytes) {
    case 1:
      return Gather<1>(from, stride, count, to);
    case 2:
      return Gather<2>(from, stride, count, to);
    case 4:
      return Gather<4>(from, stride, count, to);
    case 8:
      return Gather<8>(from, stride, count, to);
    case 32:
      return Gather<32>(from, stride, count, to);
    default:
      break;
  }
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to, from, bytes);
    from += stride;
    to += bytes;
  }
}

}  // namespace

void SegmentColumns::HoldFields(const core::RecordBatch& records, int64_t from,
                                int64_t count) {
  const auto stride = static_cast<size_t>(records.schema().record_bytes());
  for (size_t c = 0; c < num_fields_; ++c) {
    Column& column = columns_[c];
    for (int64_t run = 0; run < column.runs; ++run) {
      Gather(records.row(from) + column.record_offset + run * column.run_bytes,
             stride, count,
             column.held.data() + (run * capacity_ + held_) * column.run_bytes,
             static_cast<size_t>(column.run_bytes));
    }
  }
}

void SegmentColumns::HoldPixels(
    const std::vector<std::vector<int32_t>>& pixel_index, int64_t from,
    int64_t count) {
  size_t c = num_fields_;
  for (const std::vector<int32_t>& index : pixel_index) {
    std::memcpy(columns_[c++].held.data() + held_ * 4, index.data() + from,
                static_cast<size_t>(count) * 4);
  }
  for (size_t a = 0; a < layout_->axes.size(); ++a) {
    const SegmentAxis& axis = layout_->axes[a];
    if (axis.coordinate_column.empty()) continue;
    uint8_t* to = columns_[c++].held.data() + held_ * 8;
    for (int64_t i = from; i < from + count; ++i, to += 8) {
      const auto at =
          static_cast<size_t>(pixel_index[a][static_cast<size_t>(i)]);
      std::memcpy(to, &axis.coordinate->values[at], 8);
    }
  }
}

absl::Status SegmentColumns::Append(
    const core::RecordBatch& records,
    const std::vector<std::vector<int32_t>>& pixel_index) {
  for (int64_t from = 0; from < records.num_records();) {
    const int64_t count =
        std::min(capacity_ - held_, records.num_records() - from);
    HoldFields(records, from, count);
    HoldPixels(pixel_index, from, count);
    held_ += count;
    from += count;
    if (held_ == capacity_) INTERNODE_RETURN_IF_ERROR(Write());
  }
  return absl::OkStatus();
}

absl::Status SegmentColumns::Finish() {
  if (held_ == 0) return absl::OkStatus();
  // A storage chunk is always stored whole.
  for (Column& column : columns_) {
    for (int64_t run = 0; run < column.runs; ++run) {
      uint8_t* begin = column.held.data() + run * capacity_ * column.run_bytes;
      std::memset(begin + held_ * column.run_bytes, 0,
                  static_cast<size_t>((capacity_ - held_) * column.run_bytes));
    }
  }
  return Write();
}

absl::Status SegmentColumns::Write() {
  INTERNODE_RETURN_IF_ERROR(file_->Grow(kSegmentDim, written_ + held_));
  for (Column& column : columns_) {
    const auto bytes = static_cast<size_t>(capacity_ * column.run_bytes);
    for (size_t run = 0; run < column.run_offsets.size(); ++run) {
      encoder_.Encode(
          absl::MakeConstSpan(column.held.data() + run * bytes, bytes),
          column.number_bytes, &encoded_);
      column.run_offsets[run][0] = written_;
      INTERNODE_RETURN_IF_ERROR(file_->WriteChunk(
          column.variable, column.run_offsets[run], encoded_));
    }
  }
  written_ += held_;
  held_ = 0;
  return absl::OkStatus();
}

}  // namespace internode::cube
