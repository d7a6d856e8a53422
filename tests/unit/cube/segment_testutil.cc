#include "tests/unit/cube/segment_testutil.h"

#include <fstream>
#include <iterator>

#include "base/status_macros.h"
#include "cube/segment_index.h"

namespace internode::cube {
namespace {

using core::Attribute;
using core::DataType;
using core::Field;

constexpr double kNone = -2147483648.0;

Field DateField(const std::string& name) {
  return {.name = name,
          .type = DataType::kInt32,
          .dims = {},
          .fill = kNone,
          .attributes = {{"units", std::string("days since 1970-01-01")},
                         {"calendar", std::string("standard")}}};
}

Field NumberField(const std::string& name, DataType type,
                  const std::vector<std::string>& dims) {
  Field field;
  field.name = name;
  field.type = type;
  field.dims = dims;
  return field;
}

// EPSG:5070.
constexpr char kAlbers[] =
    R"(PROJCS["NAD83 / Conus Albers",GEOGCS["NAD83",DATUM["North_American_Datum_1983",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6269"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4269"]],PROJECTION["Albers_Conic_Equal_Area"],PARAMETER["latitude_of_center",23],PARAMETER["longitude_of_center",-96],PARAMETER["standard_parallel_1",29.5],PARAMETER["standard_parallel_2",45.5],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","5070"]])";

core::CoordinateInfo Coordinate(const std::string& dim, double first,
                                double step, int64_t count) {
  core::CoordinateInfo coordinate;
  coordinate.dim = dim;
  for (int64_t i = 0; i < count; ++i) {
    coordinate.values.push_back(first + step * static_cast<double>(i));
  }
  coordinate.attributes = {
      {"long_name", dim + " coordinate of projection"},
      {"standard_name", "projection_" + dim + "_coordinate"},
      {"units", std::string("m")}};
  return coordinate;
}

core::GridMappingInfo Albers() {
  return {.name = "albers",
          .attributes = {
              {"grid_mapping_name", std::string("albers_conical_equal_area")},
              {"standard_parallel", std::vector<double>{29.5, 45.5}},
              {"longitude_of_central_meridian", std::vector<double>{-96}},
              {"latitude_of_projection_origin", std::vector<double>{23}},
              {"false_easting", std::vector<double>{0}},
              {"false_northing", std::vector<double>{0}},
              {"semi_major_axis", std::vector<double>{6378137}},
              {"inverse_flattening", std::vector<double>{298.257222101}},
              {"spatial_ref", std::string(kAlbers)},
              {"crs_wkt", std::string(kAlbers)}}};
}

SegmentFileSpec CommonSpec(const core::Dimensions& dims, int64_t chunk) {
  SegmentFileSpec spec;
  spec.schema = SegmentSchema();
  spec.grid = *core::ChunkGrid::Create(dims, chunk);
  spec.attributes = {{"title", std::string("Segments")},
                     {"algorithm", std::string("test")},
                     {"parameters", std::string(R"({"k":3})")},
                     {"angular_frequency", std::vector<double>{0.0172}},
                     {"answer", std::vector<int64_t>{42}},
                     {"job_id", std::string("17")}};
  spec.history = "internode run test cube.nc";
  return spec;
}

}  // namespace

std::shared_ptr<const core::RecordSchema> SegmentSchema() {
  std::vector<Field> fields = {
      DateField("t_start"),
      DateField("t_end"),
      DateField("t_break"),
      NumberField("n_obs", DataType::kInt32, {}),
      NumberField("change_prob", DataType::kFloat32, {}),
      NumberField("category", DataType::kInt16, {}),
      NumberField("coefs", DataType::kFloat32, {"band", "coef"}),
      NumberField("rmse", DataType::kFloat32, {"band"})};
  return std::make_shared<core::RecordSchema>(*core::RecordSchema::Create(
      std::move(fields), {{"band", {"blue", "nir", "thermal"}},
                          {"coef", {"intercept", "slope", "cos1", "sin1"}}}));
}

SegmentFileSpec GridSpec(int64_t rows, int64_t columns, int64_t chunk) {
  SegmentFileSpec spec = CommonSpec({{"y", rows}, {"x", columns}}, chunk);
  spec.coordinates = {Coordinate("y", 1964790, -30, rows),
                      Coordinate("x", -2115570, 30, columns)};
  spec.grid_mapping = Albers();
  return spec;
}

SegmentFileSpec SampleSpec(int64_t samples, int64_t chunk) {
  return CommonSpec({{"sample_id", samples}}, chunk);
}

core::BlockResult MakeResult(const SegmentFileSpec& spec, int64_t chunk,
                             int per_pixel) {
  const core::RecordSchema& schema = *spec.schema;
  core::BlockResult result(spec.schema);
  VisitPixels(spec.grid.Chunk(chunk), [&](const std::vector<int64_t>& index) {
    int64_t place = 0;
    for (const int64_t i : index) place = place * 1000 + i;
    const int64_t kind = (place * 7 + place / 1000) % 11;
    if (kind == 9) return result.FailPixel("could not be read");
    if (kind == 10) {
      return result.FinishPixel(core::PixelStatus::kTooFewObservations);
    }
    const int records = static_cast<int>(kind % 4) * per_pixel;
    for (int r = 0; r < records; ++r) {
      uint8_t* row = result.AddRecord();
      const auto store = [&](int field, auto value, int64_t k = 0) {
        core::StoreField(row, schema.offset(field), value, k);
      };
      store(0, static_cast<int32_t>(10957 + 1000 * r));
      store(1, static_cast<int32_t>(11856 + 1000 * r));
      store(2, r + 1 < records ? static_cast<int32_t>(11957 + 1000 * r)
                               : std::numeric_limits<int32_t>::min());
      store(3, static_cast<int32_t>(20 + r));
      store(4, r + 1 < records ? 1.0f : 0.0f);
      store(5, static_cast<int16_t>(kind));
      for (int k = 0; k < 12; ++k) {
        store(6, static_cast<float>(place * 100 + r * 12 + k), k);
      }
      for (int k = 0; k < 3; ++k) {
        store(7, static_cast<float>(place) + 0.25f * static_cast<float>(k), k);
      }
    }
    result.FinishPixel(records == 0 ? core::PixelStatus::kNoSegments
                                    : core::PixelStatus::kOk);
  });
  return result;
}

absl::Status WriteSegments(const std::string& path, const SegmentFileSpec& spec,
                           int per_pixel) {
  INTERNODE_ASSIGN_OR_RETURN(auto writer,
                             SegmentWriter::Create(path, spec, false));
  const int64_t first = spec.part ? spec.part->first_chunk : 0;
  const int64_t end = spec.part ? spec.part->end_chunk : spec.grid.num_chunks();
  for (int64_t chunk = first; chunk < end; ++chunk) {
    INTERNODE_RETURN_IF_ERROR(
        writer->Append(chunk, MakeResult(spec, chunk, per_pixel)));
  }
  return writer->Finish();
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace internode::cube
