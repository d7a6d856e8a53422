#include "cube/segment_layout.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

// Whether `dim` runs along `axis`, "y" or "x": by its coordinate, or, where
// that says nothing, by its name.
bool RunsAlong(absl::string_view axis, const std::string& dim,
               const core::CoordinateInfo* coordinate) {
  const bool is_y = axis == "y";
  if (coordinate != nullptr) {
    const std::string said = absl::AsciiStrToLower(
        core::TextAttribute(coordinate->attributes, "axis"));
    if (!said.empty()) return said == axis;
    const std::string name =
        core::TextAttribute(coordinate->attributes, "standard_name");
    if (name ==
            (is_y ? "projection_y_coordinate" : "projection_x_coordinate") ||
        name == (is_y ? "latitude" : "longitude")) {
      return true;
    }
  }
  const std::string lower = absl::AsciiStrToLower(dim);
  for (const absl::string_view name :
       is_y ? std::vector<absl::string_view>{"y", "lat", "latitude", "northing"}
            : std::vector<absl::string_view>{"x", "lon", "longitude",
                                             "easting"}) {
    if (lower == name) return true;
  }
  return false;
}

const core::CoordinateInfo* FindCoordinate(
    const std::vector<core::CoordinateInfo>& coordinates,
    const core::Dimension& dim) {
  for (const core::CoordinateInfo& coordinate : coordinates) {
    const size_t count =
        std::max(coordinate.values.size(), coordinate.labels.size());
    if (coordinate.dim == dim.name && count == static_cast<size_t>(dim.size)) {
      return &coordinate;
    }
  }
  return nullptr;
}

// y and x are taken by the first dimension that runs along them.
bool Taken(const std::vector<SegmentAxis>& axes, absl::string_view role) {
  return std::any_of(axes.begin(), axes.end(), [&](const SegmentAxis& axis) {
    return axis.role == role;
  });
}

SegmentAxis MakeAxis(const core::Dimension& dim,
                     const core::CoordinateInfo* coordinate,
                     const std::vector<SegmentAxis>& before) {
  SegmentAxis axis;
  axis.dim = dim.name;
  axis.role = dim.name;
  axis.coordinate = coordinate;
  for (const absl::string_view role : {"y", "x"}) {
    if (RunsAlong(role, dim.name, coordinate) && !Taken(before, role)) {
      axis.role = std::string(role);
      if (coordinate != nullptr && !coordinate->values.empty()) {
        axis.coordinate_column = absl::StrCat("segment_", role);
      }
      break;
    }
  }
  axis.index_column = absl::StrCat("p", axis.role);
  return axis;
}

}  // namespace

SegmentLayout MakeSegmentLayout(const SegmentFileSpec& spec) {
  SegmentLayout layout;
  for (const core::Dimension& dim : spec.grid.dims()) {
    layout.axes.push_back(
        MakeAxis(dim, FindCoordinate(spec.coordinates, dim), layout.axes));
  }
  int points = 0;
  for (const SegmentAxis& axis : layout.axes) {
    if (!axis.coordinate_column.empty()) ++points;
  }
  layout.has_points = points == 2;
  layout.has_crs = layout.has_points && spec.grid_mapping.has_value();
  if (!layout.has_points) {
    for (SegmentAxis& axis : layout.axes) axis.coordinate_column.clear();
  }
  layout.is_samples = layout.axes.size() == 1 && layout.axes[0].role != "y" &&
                      layout.axes[0].role != "x";
  layout.count_name = layout.is_samples ? "row_size" : "segment_count";
  layout.own_names = {
      std::string(kSegmentDim),      layout.count_name,
      std::string(kFirstName),       std::string(kStatusName),
      std::string(kGridMappingName), std::string(kGeometryName)};
  for (const SegmentAxis& axis : layout.axes) {
    layout.own_names.push_back(axis.dim);
    layout.own_names.push_back(axis.index_column);
    if (!axis.coordinate_column.empty()) {
      layout.own_names.push_back(axis.coordinate_column);
    }
  }
  return layout;
}

namespace {

absl::Status CheckNames(const core::RecordSchema& schema,
                        const SegmentLayout& layout) {
  const auto taken = [&](const std::string& name) {
    return std::find(layout.own_names.begin(), layout.own_names.end(), name) !=
           layout.own_names.end();
  };
  for (const core::LabelledDimension& dim : schema.dims()) {
    if (taken(dim.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("record dimension '", dim.name,
                       "' has a name that segment files use themselves"));
    }
  }
  for (const core::Field& field : schema.fields()) {
    if (taken(field.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("record field '", field.name,
                       "' has a name that segment files use themselves"));
    }
    for (const core::LabelledDimension& dim : schema.dims()) {
      if (dim.name == field.name) {
        return absl::InvalidArgumentError(absl::StrCat(
            "record field '", field.name, "' has the name of a dimension"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const core::ChunkGrid& grid) {
  for (const core::Dimension& dim : grid.dims()) {
    if (dim.size > kMost) {
      return absl::ResourceExhaustedError(
          absl::StrCat("dimension '", dim.name, "' has ", dim.size,
                       " elements; a segment file holds at most ", kMost));
    }
  }
  // Of one row of the first dimension, which is held whole.
  constexpr int64_t kWidest = int64_t{1} << 28;
  int64_t width = 1;
  for (size_t d = 1; d < grid.dims().size(); ++d) {
    width = std::min(width * grid.dims()[d].size, kWidest + 1);
  }
  if (width > kWidest) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a row of the cube has more than ", kWidest, " pixels"));
  }
  if (grid.num_pixels() > kMost) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the job has ", grid.num_pixels(),
                     " pixels; a segment file holds at "
                     "most ",
                     kMost, " (select a part of the cube)"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSegmentFileSpec(const SegmentFileSpec& spec,
                                  const SegmentLayout& layout) {
  if (spec.schema == nullptr) {
    return absl::InvalidArgumentError("a segment file needs a record schema");
  }
  INTERNODE_RETURN_IF_ERROR(CheckNames(*spec.schema, layout));
  INTERNODE_RETURN_IF_ERROR(CheckSizes(spec.grid));
  if (spec.part.has_value()) {
    const SegmentFilePart& part = *spec.part;
    if (part.first_chunk < 0 || part.first_chunk > part.end_chunk ||
        part.end_chunk > spec.grid.num_chunks()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "chunks ", part.first_chunk, " to ", part.end_chunk,
          " are not a part of the job's ", spec.grid.num_chunks(), " chunks"));
    }
  }
  return absl::OkStatus();
}

int64_t RecordsPerStorageChunk(int64_t row_bytes) {
  constexpr int64_t kRecords = 16384;
  constexpr int64_t kBytes = int64_t{32} << 20;
  return std::clamp(kBytes / std::max<int64_t>(row_bytes, 1), int64_t{1},
                    kRecords);
}

std::vector<int64_t> ColumnStorageChunk(int64_t records,
                                        const std::vector<int64_t>& shape) {
  std::vector<int64_t> chunk = {records};
  for (size_t d = 0; d < shape.size(); ++d) {
    chunk.push_back(d + 1 == shape.size() ? shape[d] : 1);
  }
  return chunk;
}

std::vector<int64_t> IndexStorageChunk(const core::Dimensions& dims) {
  if (dims.empty()) return {};
  if (dims.size() == 1) return {std::clamp<int64_t>(dims[0].size, 1, 65536)};
  std::vector<int64_t> chunk;
  for (size_t d = 0; d < dims.size(); ++d) {
    const int64_t most = d + 2 >= dims.size() ? 256 : 1;
    chunk.push_back(std::clamp<int64_t>(dims[d].size, 1, most));
  }
  // Rows are gathered over the full width of the other dimensions.
  int64_t row = 1;
  for (size_t d = 1; d < dims.size(); ++d) {
    row = std::min(kMost, row * std::max<int64_t>(dims[d].size, 1));
  }
  chunk[0] = std::min(chunk[0], std::max<int64_t>(1, (int64_t{1} << 20) / row));
  return chunk;
}

std::string ChunkGridToText(const core::ChunkGrid& grid) {
  Json json = Json::array();
  for (size_t d = 0; d < grid.dims().size(); ++d) {
    const core::DimensionCut& cut = grid.cuts()[d];
    json.push_back({{"dim", grid.dims()[d].name},
                    {"size", grid.dims()[d].size},
                    {"begin", cut.begin},
                    {"end", cut.end},
                    {"chunk", cut.chunk},
                    {"origin", cut.origin}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<core::ChunkGrid> ChunkGridFromText(absl::string_view text) {
  absl::Status error = absl::DataLossError(
      "its attribute chunk_grid does not describe a chunk grid");
  const Json json = Json::parse(text.begin(), text.end(), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_array()) return error;
  core::Dimensions dims;
  std::vector<core::DimensionCut> cuts;
  for (const Json& entry : json) {
    const auto number = [&](const char* name) -> int64_t {
      if (!entry.is_object() || !entry.contains(name) ||
          !entry[name].is_number_integer()) {
        return -1;
      }
      return entry[name].get<int64_t>();
    };
    if (!entry.is_object() || !entry.contains("dim") ||
        !entry["dim"].is_string()) {
      return error;
    }
    dims.push_back({entry["dim"].get<std::string>(), number("size")});
    cuts.push_back({.begin = number("begin"),
                    .end = number("end"),
                    .chunk = number("chunk"),
                    .origin = number("origin")});
  }
  absl::StatusOr<core::ChunkGrid> grid = core::ChunkGrid::Create(dims, cuts);
  return grid.ok() ? grid : error;
}

core::Attributes Without(const core::Attributes& attributes,
                         const std::vector<absl::string_view>& names) {
  core::Attributes kept;
  for (const core::Attribute& attribute : attributes) {
    if (std::find(names.begin(), names.end(), attribute.name) == names.end()) {
      kept.push_back(attribute);
    }
  }
  return kept;
}

}  // namespace internode::cube
