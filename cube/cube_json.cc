#include "cube/cube_json.h"

#include <string>
#include <type_traits>
#include <variant>

#include "absl/time/time.h"

namespace internode::cube {
namespace {

using Json = nlohmann::ordered_json;

Json AttributeJson(const core::AttributeValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (!std::is_same_v<T, std::string>) {
          if (held.size() == 1) return held[0];
        }
        return held;
      },
      value);
}

Json AttributesJson(const core::Attributes& attributes) {
  Json json = Json::object();
  for (const core::Attribute& attribute : attributes) {
    json[attribute.name] = AttributeJson(attribute.value);
  }
  return json;
}

Json VariableJson(const core::VariableInfo& variable) {
  Json dims = Json::array();
  for (const core::Dimension& dim : variable.dims) dims.push_back(dim.name);
  Json json = {{"name", variable.name},
               {"type", std::string(core::DataTypeName(variable.type))},
               {"byte_order", variable.big_endian ? "big" : "little"},
               {"dims", dims},
               {"storage", variable.storage},
               {"storage_chunks", variable.storage_chunks},
               {"filters", variable.filters},
               {"fast_path", variable.library_reason.empty()},
               {"missing", variable.missing},
               {"scale_factor", variable.scale_factor},
               {"add_offset", variable.add_offset}};
  if (!variable.library_reason.empty()) {
    json["fast_path_reason"] = variable.library_reason;
  }
  if (variable.valid_min.has_value()) json["valid_min"] = *variable.valid_min;
  if (variable.valid_max.has_value()) json["valid_max"] = *variable.valid_max;
  json["attributes"] = AttributesJson(variable.attributes);
  return json;
}

Json TimeJson(const core::CubeInfo& cube) {
  if (!cube.time.has_value()) {
    if (cube.time_error.empty()) return nullptr;
    return Json{{"error", cube.time_error}};
  }
  Json json = {{"dim", cube.time->dim},
               {"units", cube.time->units},
               {"calendar", cube.time->calendar},
               {"size", cube.time->days.size()}};
  if (!cube.time->days.empty()) {
    json["first"] = DayText(cube.time->days.front());
    json["last"] = DayText(cube.time->days.back());
  }
  return json;
}

// The labels of the bands that lie along a dimension; null if they have none.
Json BandsJson(const core::CubeInfo& cube) {
  const core::CoordinateInfo* const labels =
      cube.band_dim.empty() ? nullptr : cube.FindCoordinate(cube.band_dim);
  if (labels == nullptr || labels->labels.empty()) return nullptr;
  return labels->labels;
}

}  // namespace

std::string DayText(double days) {
  const absl::Time time = absl::UnixEpoch() + absl::Hours(24) * days;
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

nlohmann::ordered_json CubeJson(const core::CubeInfo& cube) {
  Json dims = Json::object();
  for (const core::Dimension& dim : cube.dims) dims[dim.name] = dim.size;
  Json variables = Json::array();
  for (const core::VariableInfo& variable : cube.variables) {
    variables.push_back(VariableJson(variable));
  }
  Json json = {
      {"schema", 1},
      {"path", cube.path},
      {"group", cube.group},
      {"format", cube.format},
      {"bytes", cube.file_bytes},
      {"dims", dims},
      {"band_dim", cube.band_dim.empty() ? Json() : Json(cube.band_dim)},
      {"bands", BandsJson(cube)},
      {"time", TimeJson(cube)},
      {"variables", variables}};
  json["grid_mapping"] =
      cube.grid_mapping.has_value() ? Json(cube.grid_mapping->name) : Json();
  json["attributes"] = AttributesJson(cube.attributes);
  return json;
}

std::string CubeText(const core::CubeInfo& cube) {
  return CubeJson(cube).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace internode::cube
