#include "functions/function_json.h"

#include <cmath>
#include <string>
#include <variant>

#include "functions/parameter.h"

namespace internode::functions {
namespace {

using Json = nlohmann::ordered_json;

Json ValueJson(const ParameterValue& value) {
  return std::visit([](const auto& held) -> Json { return held; }, value);
}

Json ParameterJson(const ParameterSpec& spec) {
  Json json = {{"name", spec.name},
               {"type", std::string(ParameterTypeName(spec.default_value))},
               {"default", ValueJson(spec.default_value)},
               {"help", spec.help}};
  if (std::isfinite(spec.min)) json["min"] = spec.min;
  if (std::isfinite(spec.max)) json["max"] = spec.max;
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  if (!spec.aliases.empty()) json["aliases"] = spec.aliases;
  return json;
}

}  // namespace

nlohmann::ordered_json FunctionJson(const FunctionInfo& info) {
  Json parameters = Json::array();
  for (const ParameterSpec& spec : info.parameters) {
    parameters.push_back(ParameterJson(spec));
  }
  Json roles = Json::array();
  for (const RoleSpec& role : info.roles) {
    roles.push_back({{"name", role.name},
                     {"help", role.help},
                     {"required", role.required},
                     {"repeated", role.repeated},
                     {"guesses", role.guesses}});
  }
  return {{"name", info.name},
          {"version", info.version},
          {"summary", info.summary},
          {"description", info.description},
          {"needs_time", info.needs_time},
          {"parameters", parameters},
          {"roles", roles}};
}

std::string FunctionText(const FunctionInfo& info) {
  Json json = {{"schema", 1}};
  json.update(FunctionJson(info));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace internode::functions
