#include "cube/segment_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/netcdf_writer.h"
#include "cube/segment_columns.h"
#include "cube/segment_index.h"
#include "cube/segment_index_writer.h"
#include "cube/segment_layout.h"

namespace internode::cube {
namespace {

// Attributes that belong to the file a coordinate was read from.
const std::vector<absl::string_view>& ForeignAttributes() {
  static const auto& names = *new std::vector<absl::string_view>{
      "CLASS",         "NAME",   "DIMENSION_LIST",      "REFERENCE_LIST",
      "_Netcdf4Dimid", "bounds", "_Netcdf4Coordinates", "_NCProperties"};
  return names;
}

// The numbers of a coordinate in their stored type.
std::vector<uint8_t> CoordinateBytes(const core::CoordinateInfo& coordinate) {
  return core::VisitDataType(coordinate.type, [&](auto zero) {
    using T = decltype(zero);
    std::vector<uint8_t> bytes(coordinate.values.size() * sizeof(T));
    for (size_t i = 0; i < coordinate.values.size(); ++i) {
      const T value = static_cast<T>(coordinate.values[i]);
      std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return bytes;
  });
}

absl::Status AddCoordinate(const SegmentAxis& axis, NetcdfWriter* file) {
  const core::CoordinateInfo& coordinate = *axis.coordinate;
  core::Attributes attributes =
      Without(coordinate.attributes, ForeignAttributes());
  if (coordinate.values.empty()) {
    return file->AddLabels(axis.dim, axis.dim, coordinate.labels, attributes);
  }
  if (!axis.coordinate_column.empty() &&
      core::FindAttribute(attributes, "axis") == nullptr) {
    attributes.push_back({"axis", std::string(axis.role == "y" ? "Y" : "X")});
  }
  NetcdfVariable variable;
  variable.name = axis.dim;
  variable.type = coordinate.type;
  variable.dims = {axis.dim};
  variable.attributes = attributes;
  INTERNODE_ASSIGN_OR_RETURN(const int number, file->AddVariable(variable));
  return file->WriteAll(number, CoordinateBytes(coordinate));
}

absl::Status AddDimensions(const SegmentFileSpec& spec, NetcdfWriter* file) {
  INTERNODE_RETURN_IF_ERROR(file->AddUnlimitedDimension(kSegmentDim));
  for (const core::LabelledDimension& dim : spec.schema->dims()) {
    INTERNODE_RETURN_IF_ERROR(
        file->AddDimension(dim.name, static_cast<int64_t>(dim.labels.size())));
  }
  for (const core::Dimension& dim : spec.grid.dims()) {
    INTERNODE_RETURN_IF_ERROR(file->AddDimension(dim.name, dim.size));
  }
  return absl::OkStatus();
}

// A variable that is there for its attributes.
absl::Status AddContainer(absl::string_view name,
                          const core::Attributes& attributes,
                          NetcdfWriter* file) {
  NetcdfVariable variable;
  variable.name = std::string(name);
  variable.type = core::DataType::kInt32;
  variable.attributes = attributes;
  INTERNODE_ASSIGN_OR_RETURN(const int number, file->AddVariable(variable));
  return file->WriteAll(number, {0, 0, 0, 0});
}

// The variables that say where things are.
absl::Status AddFrame(const SegmentFileSpec& spec, const SegmentLayout& layout,
                      NetcdfWriter* file) {
  if (layout.has_crs) {
    INTERNODE_RETURN_IF_ERROR(AddContainer(
        kGridMappingName,
        Without(spec.grid_mapping->attributes, ForeignAttributes()), file));
  }
  if (layout.has_points) {
    core::Attributes geometry = {
        {"geometry_type", std::string("point")},
        {"node_coordinates", std::string("segment_x segment_y")}};
    if (layout.has_crs) {
      geometry.push_back({"grid_mapping", std::string(kGridMappingName)});
    }
    INTERNODE_RETURN_IF_ERROR(AddContainer(kGeometryName, geometry, file));
  }
  for (const core::LabelledDimension& dim : spec.schema->dims()) {
    INTERNODE_RETURN_IF_ERROR(
        file->AddLabels(dim.name, dim.name, dim.labels, {}));
  }
  for (const SegmentAxis& axis : layout.axes) {
    if (axis.coordinate == nullptr) continue;
    INTERNODE_RETURN_IF_ERROR(AddCoordinate(axis, file));
  }
  return absl::OkStatus();
}

core::Attributes FileAttributes(const SegmentFileSpec& spec) {
  core::Attributes attributes = {{"Conventions", std::string("CF-1.8")}};
  for (const core::Attribute& attribute :
       Without(spec.attributes,
               {"Conventions", "history", kChunkGridAttribute, kPartAttribute,
                kPartChunksAttribute, "_NCProperties"})) {
    attributes.push_back(attribute);
  }
  attributes.push_back({"history", spec.history});
  attributes.push_back(
      {std::string(kChunkGridAttribute), ChunkGridToText(spec.grid)});
  if (spec.part.has_value()) {
    attributes.push_back(
        {std::string(kPartAttribute),
         std::vector<int64_t>{spec.part->id, spec.part->total}});
    attributes.push_back(
        {std::string(kPartChunksAttribute),
         std::vector<int64_t>{spec.part->first_chunk, spec.part->end_chunk}});
  }
  return attributes;
}

}  // namespace

absl::StatusOr<SegmentFilePart> PartOf(int64_t num_chunks, int64_t id,
                                       int64_t total) {
  if (total < 1 || id < 1 || id > total) {
    return absl::InvalidArgumentError(
        absl::StrCat("job id ", id, " of ", total,
                     " is not a part; ids go from 1 to the total"));
  }
  const int64_t each = num_chunks / total;
  const int64_t longer = num_chunks % total;
  const auto start = [&](int64_t i) { return i * each + std::min(i, longer); };
  return SegmentFilePart{.id = id,
                         .total = total,
                         .first_chunk = start(id - 1),
                         .end_chunk = start(id)};
}

struct SegmentWriter::Impl {
  explicit Impl(const SegmentFileSpec& given)
      : spec(given),
        layout(MakeSegmentLayout(spec)),
        first_chunk(spec.part ? spec.part->first_chunk : 0),
        end_chunk(spec.part ? spec.part->end_chunk : spec.grid.num_chunks()),
        pixel_index(layout.axes.size()) {}

  absl::Status Create(absl::string_view path, bool overwrite);
  absl::Status CheckChunk(int64_t chunk, const core::BlockResult& result) const;
  absl::Status CheckPixels(const core::Selection& selection,
                           const core::BlockResult& result) const;
  void ListPixels(const core::Selection& selection,
                  const core::BlockResult& result);

  const SegmentFileSpec spec;
  const SegmentLayout layout;
  const int64_t first_chunk;
  const int64_t end_chunk;
  int64_t next_chunk = 0;
  std::unique_ptr<NetcdfWriter> file;
  std::unique_ptr<SegmentColumns> columns;
  std::unique_ptr<SegmentIndex> index;
  std::unique_ptr<SegmentIndexWriter> index_writer;
  // Per axis, where each record of the block at hand is.
  std::vector<std::vector<int32_t>> pixel_index;
};

absl::Status SegmentWriter::Impl::Create(absl::string_view path,
                                         bool overwrite) {
  INTERNODE_RETURN_IF_ERROR(CheckSegmentFileSpec(spec, layout));
  INTERNODE_ASSIGN_OR_RETURN(file, NetcdfWriter::Create(path, overwrite));
  INTERNODE_RETURN_IF_ERROR(file->AddAttributes(FileAttributes(spec)));
  INTERNODE_RETURN_IF_ERROR(AddDimensions(spec, file.get()));
  INTERNODE_RETURN_IF_ERROR(AddFrame(spec, layout, file.get()));
  columns = std::make_unique<SegmentColumns>(file.get(), &layout);
  INTERNODE_RETURN_IF_ERROR(columns->AddVariables(*spec.schema));
  index = std::make_unique<SegmentIndex>(spec.grid);
  index_writer = std::make_unique<SegmentIndexWriter>(file.get(), &layout,
                                                      spec.grid.dims());
  return index_writer->AddVariables();
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(
    absl::string_view path, const SegmentFileSpec& spec, bool overwrite) {
  auto impl = std::make_unique<Impl>(spec);
  INTERNODE_RETURN_IF_ERROR(impl->Create(path, overwrite));
  impl->next_chunk = impl->first_chunk;
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(impl)));
}

SegmentWriter::SegmentWriter(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}
SegmentWriter::~SegmentWriter() = default;

int64_t SegmentWriter::num_records() const {
  return impl_->columns->num_records();
}

absl::Status SegmentWriter::Append(int64_t chunk,
                                   const core::BlockResult& result) {
  INTERNODE_RETURN_IF_ERROR(impl_->CheckChunk(chunk, result));
  const core::Selection selection = impl_->spec.grid.Chunk(chunk);
  INTERNODE_RETURN_IF_ERROR(impl_->CheckPixels(selection, result));
  impl_->index->Set(chunk, result);
  impl_->next_chunk = chunk + 1;
  if (result.records().num_records() == 0) return absl::OkStatus();
  impl_->ListPixels(selection, result);
  return impl_->columns->Append(result.records(), impl_->pixel_index);
}

absl::Status SegmentWriter::Impl::CheckChunk(
    int64_t chunk, const core::BlockResult& result) const {
  if (chunk < first_chunk || chunk >= end_chunk) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk ", chunk, " is not among the file's chunks ",
                     first_chunk, " to ", end_chunk));
  }
  if (chunk < next_chunk) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk ", chunk, " came after chunk ", next_chunk - 1));
  }
  const auto& schema = result.records().shared_schema();
  if (schema != spec.schema && !(*schema == *spec.schema)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the records of chunk ", chunk, " are not of the file's schema"));
  }
  return absl::OkStatus();
}

absl::Status SegmentWriter::Impl::CheckPixels(
    const core::Selection& selection, const core::BlockResult& result) const {
  if (result.num_pixels() != selection.num_pixels()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chunk of ", selection.num_pixels(),
                     " pixels was given the result of ", result.num_pixels()));
  }
  int64_t records = 0;
  for (const uint32_t count : result.record_counts()) {
    if (count > SegmentIndex::kMostRecords) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a pixel has ", count, " records; a segment file holds at most ",
          SegmentIndex::kMostRecords, " per pixel"));
    }
    records += count;
  }
  if (records != result.records().num_records()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a result of ", result.records().num_records(),
                     " records has ", records, " in its pixels"));
  }
  return absl::OkStatus();
}

void SegmentWriter::Impl::ListPixels(const core::Selection& selection,
                                     const core::BlockResult& result) {
  for (std::vector<int32_t>& column : pixel_index) column.clear();
  size_t pixel = 0;
  VisitPixels(selection, [&](const std::vector<int64_t>& at) {
    const uint32_t count = result.record_counts()[pixel++];
    for (size_t a = 0; a < at.size(); ++a) {
      pixel_index[a].insert(pixel_index[a].end(), count,
                            static_cast<int32_t>(at[a]));
    }
  });
}

absl::Status SegmentWriter::Finish() {
  INTERNODE_RETURN_IF_ERROR(impl_->columns->Finish());
  INTERNODE_RETURN_IF_ERROR(impl_->index_writer->Write(impl_->index.get()));
  return impl_->file->Finish();
}

}  // namespace internode::cube
