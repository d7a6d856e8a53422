#include "functions/parameter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::functions {
namespace {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 is written with replacement characters.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::Status IllTyped(const ParameterSpec& spec, absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", spec.name, "' is '", text, "'; it must be ",
                   ParameterTypeName(spec.default_value)));
}

// A number as people write it.
std::string NumberText(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return absl::StrCat(static_cast<int64_t>(value));
  }
  return Dump(Json(value));
}

absl::Status CheckRange(const ParameterSpec& spec, double value,
                        absl::string_view text) {
  if (value >= spec.min && value <= spec.max) return absl::OkStatus();
  std::string range;
  if (std::isinf(spec.max)) {
    range = absl::StrCat("at least ", NumberText(spec.min));
  } else if (std::isinf(spec.min)) {
    range = absl::StrCat("at most ", NumberText(spec.max));
  } else {
    range = absl::StrCat("from ", NumberText(spec.min), " to ",
                         NumberText(spec.max));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "parameter '", spec.name, "' is ", text, "; it must be ", range));
}

absl::Status CheckChoice(const ParameterSpec& spec, const std::string& text) {
  if (spec.choices.empty() ||
      std::find(spec.choices.begin(), spec.choices.end(), text) !=
          spec.choices.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", spec.name, "' is '", text, "'; ",
                   WhatExists("it can be", text, spec.choices)));
}

// The elements of a list, which is a JSON array or separated by commas; or
// nothing when it is neither.
std::optional<std::vector<std::string>> SplitList(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  std::vector<std::string> elements;
  if (trimmed.empty()) return elements;
  if (trimmed[0] != '[') {
    for (absl::string_view element : absl::StrSplit(trimmed, ',')) {
      elements.emplace_back(absl::StripAsciiWhitespace(element));
      if (elements.back().empty()) return std::nullopt;
    }
    return elements;
  }
  const Json json = Json::parse(trimmed.begin(), trimmed.end(), nullptr, false);
  if (!json.is_array()) return std::nullopt;
  for (const Json& element : json) {
    if (element.is_string()) {
      elements.push_back(element.get<std::string>());
    } else if (element.is_number()) {
      elements.push_back(Dump(element));
    } else {
      return std::nullopt;
    }
  }
  return elements;
}

// Finite numbers only: what cannot be written to JSON cannot be recorded.
bool ParseNumber(absl::string_view text, double* value) {
  return absl::SimpleAtod(text, value) && std::isfinite(*value);
}

// Parses the text of a parameter into `value`, which holds a value of the
// parameter's type: one overload per type.
absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       bool* value) {
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  if (word != "true" && word != "false") return IllTyped(spec, text);
  *value = word == "true";
  return absl::OkStatus();
}

absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       int64_t* value) {
  if (!absl::SimpleAtoi(text, value)) return IllTyped(spec, text);
  return CheckRange(spec, static_cast<double>(*value), text);
}

absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       double* value) {
  if (!ParseNumber(text, value)) return IllTyped(spec, text);
  return CheckRange(spec, *value, text);
}

absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       std::string* value) {
  *value = std::string(text);
  return CheckChoice(spec, *value);
}

absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       std::vector<double>* value) {
  const std::optional<std::vector<std::string>> elements = SplitList(text);
  if (!elements.has_value()) return IllTyped(spec, text);
  value->clear();
  for (const std::string& element : *elements) {
    double number = 0;
    if (!ParseNumber(element, &number)) return IllTyped(spec, text);
    INTERNODE_RETURN_IF_ERROR(CheckRange(spec, number, element));
    value->push_back(number);
  }
  return absl::OkStatus();
}

absl::Status ParseInto(const ParameterSpec& spec, absl::string_view text,
                       std::vector<std::string>* value) {
  std::optional<std::vector<std::string>> elements = SplitList(text);
  if (!elements.has_value()) return IllTyped(spec, text);
  for (const std::string& element : *elements) {
    INTERNODE_RETURN_IF_ERROR(CheckChoice(spec, element));
  }
  *value = *std::move(elements);
  return absl::OkStatus();
}

// The number of the spec with this name or alias, or specs.size().
size_t FindSpec(const std::vector<ParameterSpec>& specs,
                absl::string_view name) {
  for (size_t i = 0; i < specs.size(); ++i) {
    const std::vector<std::string>& aliases = specs[i].aliases;
    if (specs[i].name == name ||
        std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return i;
    }
  }
  return specs.size();
}

absl::Status UnknownParameter(const std::vector<ParameterSpec>& specs,
                              absl::string_view name) {
  std::vector<std::string> names;
  names.reserve(specs.size());
  for (const ParameterSpec& spec : specs) names.push_back(spec.name);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no parameter '", name, "'; ",
                   WhatExists("there are", name, names)));
}

// The value of `name` in `values`, if it has the type T; else T's empty value.
template <typename T>
T Get(const std::vector<std::pair<std::string, ParameterValue>>& values,
      absl::string_view name) {
  for (const auto& [key, value] : values) {
    if (key != name) continue;
    const T* typed = std::get_if<T>(&value);
    return typed == nullptr ? T{} : *typed;
  }
  return T{};
}

}  // namespace

absl::string_view ParameterTypeName(const ParameterValue& value) {
  constexpr absl::string_view kNames[] = {
      "bool", "int", "float", "text", "list of numbers", "list of words"};
  return kNames[value.index()];
}

absl::StatusOr<Parameters> Parameters::Parse(
    const std::vector<ParameterSpec>& specs,
    const std::vector<std::pair<std::string, std::string>>& given) {
  Parameters parameters;
  for (const ParameterSpec& spec : specs) {
    parameters.values_.emplace_back(spec.name, spec.default_value);
  }
  parameters.given_.assign(specs.size(), false);
  for (const auto& [name, text] : given) {
    const size_t i = FindSpec(specs, name);
    if (i == specs.size()) return UnknownParameter(specs, name);
    if (parameters.given_[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter '", specs[i].name, "' is given twice",
                       name == specs[i].name ? ""
                                             : absl::StrCat("; '", name,
                                                            "' is another name"
                                                            " for it")));
    }
    parameters.given_[i] = true;
    INTERNODE_RETURN_IF_ERROR(std::visit(
        [&spec = specs[i], &text = text](auto& value) {
          return ParseInto(spec, text, &value);
        },
        parameters.values_[i].second));
  }
  return parameters;
}

bool Parameters::GetBool(absl::string_view name) const {
  return Get<bool>(values_, name);
}
int64_t Parameters::GetInt(absl::string_view name) const {
  return Get<int64_t>(values_, name);
}
double Parameters::GetDouble(absl::string_view name) const {
  return Get<double>(values_, name);
}
std::string Parameters::GetText(absl::string_view name) const {
  return Get<std::string>(values_, name);
}
std::vector<double> Parameters::GetNumbers(absl::string_view name) const {
  return Get<std::vector<double>>(values_, name);
}
std::vector<std::string> Parameters::GetWords(absl::string_view name) const {
  return Get<std::vector<std::string>>(values_, name);
}

bool Parameters::IsGiven(absl::string_view name) const {
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].first == name) return given_[i];
  }
  return false;
}

std::string Parameters::ToJson() const {
  Json object = Json::object();
  for (const auto& [name, value] : values_) {
    std::visit([&object, &key = name](const auto& v) { object[key] = v; },
               value);
  }
  return Dump(object);
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
ParametersFromJson(absl::string_view json) {
  // A parsed object keeps one of two members of a name; the callback sees
  // both.
  std::vector<std::string> names;
  const Json::parser_callback_t on_event =
      [&names](int depth, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::key && depth == 1) {
          names.push_back(parsed.get<std::string>());
        }
        return true;
      };
  const Json object = Json::parse(json.begin(), json.end(), on_event, false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        "the parameters are not a JSON object, such as {\"harmonics\": 3}");
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "parameter '", *twice, "' is given twice in the JSON object"));
  }
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& [name, value] : object.items()) {
    if (value.is_object() || value.is_null()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "parameter '", name, "' is ", value.is_null() ? "null" : "an object",
          " in JSON; it must be a number, true or false, text, "
          "or a list"));
    }
    given.emplace_back(
        name, value.is_string() ? value.get<std::string>() : Dump(value));
  }
  return given;
}

}  // namespace internode::functions
