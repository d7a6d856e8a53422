#include "cube/segment_file_describe.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/h5_attributes.h"
#include "cube/segment_layout.h"

namespace internode::cube {
namespace {

const StoredDataset* FindRoot(const DatasetList& list, absl::string_view name) {
  return list.FindPath(absl::StrCat("/", name));
}

absl::StatusOr<h5::Dataset> OpenDataset(hid_t file,
                                        const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return h5::Own<h5::Dataset>(H5Dopen2(file, dataset.path.c_str(), H5P_DEFAULT),
                              absl::StrCat("open ", dataset.path));
}

absl::StatusOr<std::vector<std::string>> Labels(hid_t file,
                                                const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  INTERNODE_ASSIGN_OR_RETURN(h5::Dataset opened, OpenDataset(file, dataset));
  return ReadTexts(opened.get());
}

absl::StatusOr<std::vector<double>> Numbers(hid_t file,
                                            const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  INTERNODE_ASSIGN_OR_RETURN(h5::Dataset opened, OpenDataset(file, dataset));
  std::vector<double> numbers(static_cast<size_t>(dataset.shape[0]));
  if (numbers.empty()) return numbers;
  INTERNODE_RETURN_IF_ERROR(
      h5::Check(H5Dread(opened.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                        H5P_DEFAULT, numbers.data()),
                absl::StrCat("read ", dataset.path)));
  return numbers;
}

// Coordinates longer than this are not believed.
constexpr int64_t kMostCoordinates = int64_t{1} << 26;

absl::Status ReadCoordinates(hid_t file, const DatasetList& list,
                             SegmentFileSpec* spec)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  for (const core::Dimension& dim : spec->grid.dims()) {
    const StoredDataset* dataset = FindRoot(list, dim.name);
    if (dataset == nullptr || dataset->is_bare_dimension) continue;
    if (dataset->shape != std::vector<int64_t>{dim.size}) {
      return absl::DataLossError(absl::StrCat(
          "its coordinate '", dim.name, "' has not ", dim.size, " elements"));
    }
    if (dim.size > kMostCoordinates) continue;
    core::CoordinateInfo coordinate;
    coordinate.dim = dim.name;
    coordinate.attributes = dataset->attributes;
    if (dataset->is_text) {
      INTERNODE_ASSIGN_OR_RETURN(coordinate.labels, Labels(file, *dataset));
    } else if (dataset->type.has_value()) {
      coordinate.type = *dataset->type;
      INTERNODE_ASSIGN_OR_RETURN(coordinate.values, Numbers(file, *dataset));
    } else {
      continue;
    }
    spec->coordinates.push_back(std::move(coordinate));
  }
  return absl::OkStatus();
}

absl::StatusOr<SegmentFilePart> ReadPart(const core::Attributes& attributes) {
  const auto integers =
      [&](absl::string_view name) -> const std::vector<int64_t>* {
    const core::AttributeValue* value = core::FindAttribute(attributes, name);
    if (value == nullptr) return nullptr;
    const auto* found = std::get_if<std::vector<int64_t>>(value);
    return found == nullptr || found->size() != 2 ? nullptr : found;
  };
  const std::vector<int64_t>* part = integers(kPartAttribute);
  const std::vector<int64_t>* chunks = integers(kPartChunksAttribute);
  if (part == nullptr || chunks == nullptr) {
    return absl::DataLossError("its attributes do not say which part it is");
  }
  return SegmentFilePart{.id = (*part)[0],
                         .total = (*part)[1],
                         .first_chunk = (*chunks)[0],
                         .end_chunk = (*chunks)[1]};
}

absl::Status ReadFileAttributes(hid_t file, SegmentFileSpec* spec)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  INTERNODE_ASSIGN_OR_RETURN(const core::Attributes attributes,
                             ReadAttributes(file));
  const std::string grid = core::TextAttribute(attributes, kChunkGridAttribute);
  if (grid.empty()) {
    return absl::InvalidArgumentError(
        "it is not a segment file: it has no attribute chunk_grid");
  }
  INTERNODE_ASSIGN_OR_RETURN(spec->grid, ChunkGridFromText(grid));
  if (core::FindAttribute(attributes, kPartAttribute) != nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(spec->part, ReadPart(attributes));
  }
  spec->history = core::TextAttribute(attributes, "history");
  spec->attributes =
      Without(attributes, {"Conventions", "history", kChunkGridAttribute,
                           kPartAttribute, kPartChunksAttribute});
  return absl::OkStatus();
}

// The names of a column's dimensions but `segment`, or nothing when `dataset`
// is no column.
std::optional<std::vector<std::string>> ColumnDims(
    const DatasetList& list, const StoredDataset& dataset) {
  const StoredDataset* segment = FindRoot(list, kSegmentDim);
  if (dataset.is_scale || dataset.scales.empty() || segment == nullptr ||
      dataset.scales[0] != segment->address || dataset.path.rfind('/') != 0) {
    return std::nullopt;
  }
  std::vector<std::string> dims;
  for (size_t d = 1; d < dataset.scales.size(); ++d) {
    const StoredDataset* scale = list.Find(dataset.scales[d]);
    dims.push_back(scale == nullptr ? "" : scale->leaf());
  }
  return dims;
}

core::Field ColumnField(const StoredDataset& dataset,
                        const std::vector<std::string>& dims) {
  core::Field field;
  field.name = dataset.leaf();
  field.type = *dataset.type;
  field.dims = dims;
  if (const core::AttributeValue* fill =
          core::FindAttribute(dataset.attributes, "_FillValue")) {
    if (const auto* n = std::get_if<std::vector<int64_t>>(fill);
        n != nullptr && n->size() == 1) {
      field.fill = static_cast<double>((*n)[0]);
    } else if (const auto* x = std::get_if<std::vector<double>>(fill);
               x != nullptr && x->size() == 1) {
      field.fill = (*x)[0];
    }
  }
  field.attributes =
      Without(dataset.attributes,
              {"_FillValue", "geometry", "coordinates", "grid_mapping"});
  return field;
}

absl::Status ReadSchema(hid_t file, const DatasetList& list,
                        const SegmentLayout& layout, SegmentFileSpec* spec)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  std::vector<core::Field> fields;
  std::vector<core::LabelledDimension> dims;
  for (const StoredDataset& dataset : list.datasets) {
    const std::string name = dataset.leaf();
    const bool own = std::find(layout.own_names.begin(), layout.own_names.end(),
                               name) != layout.own_names.end();
    if (own) continue;
    if (dataset.is_scale && dataset.is_text && dataset.shape.size() == 1) {
      INTERNODE_ASSIGN_OR_RETURN(std::vector<std::string> labels,
                                 Labels(file, dataset));
      dims.push_back({name, std::move(labels)});
      continue;
    }
    const auto column_dims = ColumnDims(list, dataset);
    if (!column_dims.has_value()) continue;
    if (!dataset.type.has_value()) {
      return absl::DataLossError(
          absl::StrCat("its column '", name, "' does not hold numbers"));
    }
    fields.push_back(ColumnField(dataset, *column_dims));
  }
  absl::StatusOr<core::RecordSchema> schema =
      core::RecordSchema::Create(std::move(fields), std::move(dims));
  if (!schema.ok()) return absl::DataLossError(schema.status().message());
  spec->schema = std::make_shared<const core::RecordSchema>(*std::move(schema));
  return absl::OkStatus();
}

absl::Status CheckVariable(const DatasetList& list, const std::string& name,
                           core::DataType type,
                           const std::vector<int64_t>& shape) {
  const StoredDataset* dataset = FindRoot(list, name);
  if (dataset == nullptr) {
    return absl::DataLossError(absl::StrCat("it has no variable '", name, "'"));
  }
  if (dataset->type != type) {
    return absl::DataLossError(absl::StrCat("its variable '", name,
                                            "' is not of the type ",
                                            core::DataTypeName(type)));
  }
  if (dataset->shape != shape) {
    return absl::DataLossError(absl::StrCat(
        "its variable '", name, "' has not the shape of the others"));
  }
  // Readers decompress whole storage chunks.
  int64_t bytes = core::DataTypeBytes(type);
  for (const int64_t edge : dataset->storage_chunks) {
    bytes *= std::clamp<int64_t>(edge, 1, int64_t{1} << 30);
    if (bytes > int64_t{1} << 30) {
      return absl::DataLossError(absl::StrCat(
          "storage chunks of its variable '", name, "' exceed 1 GiB"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckVariables(const DatasetList& list,
                            const SegmentLayout& layout,
                            const SegmentFileSpec& spec, int64_t records) {
  for (size_t i = 0; i < spec.schema->fields().size(); ++i) {
    const core::Field& field = spec.schema->fields()[i];
    std::vector<int64_t> shape = {records};
    for (const int64_t size : spec.schema->shape(static_cast<int>(i))) {
      shape.push_back(size);
    }
    INTERNODE_RETURN_IF_ERROR(
        CheckVariable(list, field.name, field.type, shape));
  }
  std::vector<int64_t> shape;
  for (const core::Dimension& dim : spec.grid.dims()) {
    shape.push_back(dim.size);
  }
  INTERNODE_RETURN_IF_ERROR(
      CheckVariable(list, layout.count_name, core::DataType::kInt16, shape));
  INTERNODE_RETURN_IF_ERROR(CheckVariable(list, std::string(kFirstName),
                                          core::DataType::kInt64, shape));
  return CheckVariable(list, std::string(kStatusName), core::DataType::kInt8,
                       shape);
}

}  // namespace

absl::StatusOr<SegmentFileDescription> DescribeSegmentFile(
    hid_t file, const DatasetList& list) {
  SegmentFileDescription description;
  SegmentFileSpec& spec = description.spec;
  INTERNODE_RETURN_IF_ERROR(ReadFileAttributes(file, &spec));
  const StoredDataset* segment = FindRoot(list, kSegmentDim);
  if (segment == nullptr || segment->shape.size() != 1) {
    return absl::DataLossError("it has no dimension 'segment'");
  }
  description.num_records = segment->shape[0];
  INTERNODE_RETURN_IF_ERROR(ReadCoordinates(file, list, &spec));
  if (const StoredDataset* crs = FindRoot(list, kGridMappingName)) {
    spec.grid_mapping = core::GridMappingInfo{
        .name = std::string(kGridMappingName), .attributes = crs->attributes};
  }
  const SegmentLayout layout = MakeSegmentLayout(spec);
  INTERNODE_RETURN_IF_ERROR(ReadSchema(file, list, layout, &spec));
  if (const absl::Status status = CheckSegmentFileSpec(spec, layout);
      !status.ok()) {
    return absl::DataLossError(status.message());
  }
  INTERNODE_RETURN_IF_ERROR(
      CheckVariables(list, layout, spec, description.num_records));
  return description;
}

}  // namespace internode::cube
