#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/simulated_tile.h"

namespace internode::cube {
namespace {

// NAD83 / Conus Albers, EPSG:5070, in which Landsat ARD of the conterminous
// United States comes.
constexpr char kAlbersWkt[] =
    R"(PROJCS["NAD83 / Conus Albers",GEOGCS["NAD83",)"
    R"(DATUM["North_American_Datum_1983",)"
    R"(SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],)"
    R"(AUTHORITY["EPSG","6269"]],)"
    R"(PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],)"
    R"(UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],)"
    R"(AUTHORITY["EPSG","4269"]],PROJECTION["Albers_Conic_Equal_Area"],)"
    R"(PARAMETER["latitude_of_center",23],PARAMETER["longitude_of_center",-96],)"
    R"(PARAMETER["standard_parallel_1",29.5],)"
    R"(PARAMETER["standard_parallel_2",45.5],PARAMETER["false_easting",0],)"
    R"(PARAMETER["false_northing",0],)"
    R"(UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],)"
    R"(AXIS["Northing",NORTH],AUTHORITY["EPSG","5070"]])";

// The outer edge of the first pixel, in metres.
constexpr double kLeft = -2115585;
constexpr double kTop = 1964805;
constexpr double kPixel = 30;

core::Attributes AlbersAttributes() {
  return {{"grid_mapping_name", std::string("albers_conical_equal_area")},
          {"standard_parallel", std::vector<double>{29.5, 45.5}},
          {"longitude_of_central_meridian", std::vector<double>{-96}},
          {"latitude_of_projection_origin", std::vector<double>{23}},
          {"false_easting", std::vector<double>{0}},
          {"false_northing", std::vector<double>{0}},
          {"semi_major_axis", std::vector<double>{6378137}},
          {"inverse_flattening", std::vector<double>{298.257222101}},
          {"crs_wkt", std::string(kAlbersWkt)},
          {"spatial_ref", std::string(kAlbersWkt)},
          {"GeoTransform",
           absl::StrCat(kLeft, " ", kPixel, " 0 ", kTop, " 0 ", -kPixel)}};
}

template <typename T>
absl::Status AddNumbers(const std::string& name, const std::string& dim,
                        const std::vector<T>& numbers,
                        const core::Attributes& attributes,
                        NetcdfWriter* file) {
  NetcdfVariable variable;
  variable.name = name;
  variable.type = core::DataTypeOf<T>();
  if (!dim.empty()) variable.dims = {dim};
  variable.attributes = attributes;
  INTERNODE_ASSIGN_OR_RETURN(const int number, file->AddVariable(variable));
  std::vector<uint8_t> bytes(numbers.size() * sizeof(T));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return file->WriteAll(number, bytes);
}

absl::Status AddAxis(const std::string& name, const std::string& dim,
                     double first, double step, int64_t count,
                     NetcdfWriter* file) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(first + step * static_cast<double>(i));
  }
  core::Attributes attributes = {
      {"long_name", name + " coordinate of projection"},
      {"standard_name", "projection_" + name + "_coordinate"},
      {"units", std::string("m")}};
  if (name == dim) {
    attributes.push_back({"axis", std::string(name == "y" ? "Y" : "X")});
  }
  return AddNumbers(name, dim, values, attributes, file);
}

absl::Status AddPlaces(const SimulateOptions& options, NetcdfWriter* file) {
  const double left = kLeft + kPixel / 2;
  const double top = kTop - kPixel / 2;
  if (options.layout != SimulatedLayout::kSamples) {
    INTERNODE_RETURN_IF_ERROR(
        AddAxis("y", "y", top, -kPixel, options.size[0].size, file));
    return AddAxis("x", "x", left, kPixel, options.size[1].size, file);
  }
  const int64_t count = options.size[0].size;
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(i));
  INTERNODE_RETURN_IF_ERROR(
      AddNumbers("sample_id", "sample_id", ids,
                 {{"long_name", std::string("number of the sample")}}, file));
  // Samples lie in a row.
  INTERNODE_RETURN_IF_ERROR(AddAxis("y", "sample_id", top, 0, count, file));
  return AddAxis("x", "sample_id", left, kPixel, count, file);
}

absl::Status AddDimensions(const SimulateOptions& options, NetcdfWriter* file) {
  if (options.layout != SimulatedLayout::kVariables) {
    INTERNODE_RETURN_IF_ERROR(file->AddDimension("band", kSimulatedBands));
  }
  INTERNODE_RETURN_IF_ERROR(file->AddDimension("time", options.dates));
  for (const core::Dimension& dim : options.size) {
    INTERNODE_RETURN_IF_ERROR(file->AddDimension(dim.name, dim.size));
  }
  INTERNODE_RETURN_IF_ERROR(file->AddDimension("true_break", kMostBreaks));
  return file->AddDimension("true_band", kSimulatedBands);
}

// A variable over `dims_before`, then the places, then `dims_after`, stored in
// the tiles of `shape`.
NetcdfVariable Tiled(const SimulateOptions& options, const TileShape& shape,
                     const std::string& name, core::DataType type) {
  NetcdfVariable variable;
  variable.name = name;
  variable.type = type;
  variable.deflate = options.deflate;
  for (const core::Dimension& dim : options.size) {
    variable.dims.push_back(dim.name);
  }
  if (options.layout != SimulatedLayout::kSamples) {
    variable.storage_chunks.push_back(shape.row_chunk);
  }
  variable.storage_chunks.push_back(shape.column_chunk);
  return variable;
}

void AddDim(const std::string& dim, int64_t chunk, bool before,
            NetcdfVariable* variable) {
  if (before) {
    variable->dims.insert(variable->dims.begin(), dim);
    variable->storage_chunks.insert(variable->storage_chunks.begin(), chunk);
  } else {
    variable->dims.push_back(dim);
    variable->storage_chunks.push_back(chunk);
  }
}

void AddPlaceAttributes(const SimulateOptions& options,
                        NetcdfVariable* variable) {
  variable->attributes.push_back({"grid_mapping", std::string("crs")});
  if (options.layout == SimulatedLayout::kSamples) {
    variable->attributes.push_back({"coordinates", std::string("y x")});
  }
}

absl::Status AddBands(const SimulateOptions& options, const TileShape& shape,
                      SimulatedCube* cube, NetcdfWriter* file) {
  const bool one = options.layout != SimulatedLayout::kVariables;
  for (int b = 0; b < kSimulatedBands; ++b) {
    if (one && b > 0) {
      cube->bands.push_back(cube->bands[0]);
      continue;
    }
    const std::string name(kSimulatedBandNames[static_cast<size_t>(b)]);
    NetcdfVariable variable =
        Tiled(options, shape, one ? "image" : name, core::DataType::kInt16);
    AddDim("time", shape.time_chunk, true, &variable);
    if (one) AddDim("band", 1, true, &variable);
    variable.fill = kSimulatedNodata;
    const std::string reflectance = "surface reflectance times 10000";
    const std::string temperature = "brightness temperature in Kelvin times 10";
    variable.attributes = {
        {"long_name",
         one ? absl::StrCat(reflectance, "; thermal: ", temperature)
         : name == "thermal" ? temperature
                             : absl::StrCat(name, " ", reflectance)}};
    AddPlaceAttributes(options, &variable);
    INTERNODE_ASSIGN_OR_RETURN(const int number, file->AddVariable(variable));
    cube->bands.push_back(number);
  }
  return absl::OkStatus();
}

absl::Status AddQa(const SimulateOptions& options, const TileShape& shape,
                   SimulatedCube* cube, NetcdfWriter* file) {
  const bool ard = options.qa == SimulatedQa::kArd;
  NetcdfVariable variable =
      Tiled(options, shape, ard ? "pixel_qa" : "cfmask",
            ard ? core::DataType::kUInt16 : core::DataType::kUInt8);
  AddDim("time", shape.time_chunk, true, &variable);
  variable.fill_is_missing = false;
  if (ard) {
    variable.fill = 1;
    variable.attributes = {
        {"long_name", std::string("pixel quality, Landsat ARD bits")},
        {"flag_masks", std::vector<int64_t>{1, 2, 4, 8, 16, 32, 192}},
        {"flag_values", std::vector<int64_t>{1, 2, 4, 8, 16, 32, 192}},
        {"flag_meanings", std::string("fill clear water cloud_shadow snow "
                                      "cloud high_cloud_confidence")}};
  } else {
    variable.fill = 255;
    variable.attributes = {
        {"long_name", std::string("pixel quality, CFMask codes")},
        {"flag_values", std::vector<int64_t>{0, 1, 2, 3, 4, 255}},
        {"flag_meanings",
         std::string("clear water cloud_shadow snow cloud fill")}};
  }
  AddPlaceAttributes(options, &variable);
  INTERNODE_ASSIGN_OR_RETURN(cube->qa, file->AddVariable(variable));
  return absl::OkStatus();
}

absl::Status AddTruth(const SimulateOptions& options, const TileShape& shape,
                      SimulatedCube* cube, NetcdfWriter* file) {
  NetcdfVariable count =
      Tiled(options, shape, "true_break_count", core::DataType::kUInt8);
  count.attributes = {{"long_name", std::string("number of breaks")}};
  AddPlaceAttributes(options, &count);
  INTERNODE_ASSIGN_OR_RETURN(cube->break_count, file->AddVariable(count));

  NetcdfVariable date =
      Tiled(options, shape, "true_break_date", core::DataType::kInt32);
  AddDim("true_break", kMostBreaks, false, &date);
  date.fill = -2147483648.0;
  date.attributes = {{"long_name", std::string("first day of the new segment")},
                     {"units", std::string("days since 1970-01-01")},
                     {"calendar", std::string("standard")}};
  INTERNODE_ASSIGN_OR_RETURN(cube->break_date, file->AddVariable(date));

  NetcdfVariable magnitude =
      Tiled(options, shape, "true_break_magnitude", core::DataType::kInt16);
  AddDim("true_break", kMostBreaks, false, &magnitude);
  AddDim("true_band", kSimulatedBands, false, &magnitude);
  magnitude.fill = kSimulatedNodata;
  magnitude.attributes = {
      {"long_name", std::string("new minus old segment's model on the first "
                                "day of the new one, by band: blue green red "
                                "nir swir1 swir2 thermal")}};
  INTERNODE_ASSIGN_OR_RETURN(cube->break_magnitude,
                             file->AddVariable(magnitude));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SimulatedCube> AddSimulatedCube(
    const SimulateOptions& options, const TileShape& shape,
    const std::vector<int32_t>& dates, NetcdfWriter* file) {
  INTERNODE_RETURN_IF_ERROR(file->AddAttributes(
      {{"Conventions", std::string("CF-1.8")},
       {"title", std::string("Simulated Landsat time series")},
       {"source", std::string("internode simulate")},
       {"seed", absl::StrCat(options.seed)},
       {"cloud_fraction", std::vector<double>{options.cloud_fraction}},
       {"break_probability", std::vector<double>{options.break_probability}},
       {"change_size", std::vector<double>{options.change_size}}}));
  INTERNODE_RETURN_IF_ERROR(AddDimensions(options, file));
  INTERNODE_RETURN_IF_ERROR(
      AddNumbers<int32_t>("crs", "", {0}, AlbersAttributes(), file));
  if (options.layout != SimulatedLayout::kVariables) {
    std::vector<std::string> names(kSimulatedBandNames.begin(),
                                   kSimulatedBandNames.end());
    INTERNODE_RETURN_IF_ERROR(file->AddLabels("band", "band", names, {}));
  }
  INTERNODE_RETURN_IF_ERROR(
      AddNumbers("time", "time", dates,
                 {{"long_name", std::string("date of acquisition")},
                  {"standard_name", std::string("time")},
                  {"axis", std::string("T")},
                  {"units", std::string("days since 1970-01-01")},
                  {"calendar", std::string("standard")}},
                 file));
  INTERNODE_RETURN_IF_ERROR(AddPlaces(options, file));
  SimulatedCube cube;
  cube.layout = options.layout;
  cube.qa_kind = options.qa;
  INTERNODE_RETURN_IF_ERROR(AddBands(options, shape, &cube, file));
  INTERNODE_RETURN_IF_ERROR(AddQa(options, shape, &cube, file));
  INTERNODE_RETURN_IF_ERROR(AddTruth(options, shape, &cube, file));
  return cube;
}

}  // namespace internode::cube
