#include "functions/plugin_inputs.h"

#include <limits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::functions {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Of labels and of dimensions of a field; more is memory not filled in.
constexpr size_t kMaxCoordinates = 100'000;

// One overload per type of parameter.
void Fill(bool value, internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_BOOL;
  to->integer = value ? 1 : 0;
}
void Fill(int64_t value, internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_INT;
  to->integer = value;
}
void Fill(double value, internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_FLOAT;
  to->number = value;
}
void Fill(const std::string& value, internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_TEXT;
  to->text = value.c_str();
}
void Fill(const std::vector<double>& value, internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_NUMBERS;
  to->numbers = value.data();
  to->count = value.size();
}
// The words are filled in where their pointers are kept.
void Fill(const std::vector<std::string>& value,
          internode_parameter_value* to) {
  to->type = INTERNODE_PARAMETER_WORDS;
  to->count = value.size();
}

internode_series Describe(const InputSeries& from) {
  internode_series to = {};
  to.role = from.role.c_str();
  to.label = from.label.c_str();
  to.variable = from.source.variable.c_str();
  to.band = from.source.band;
  to.type = static_cast<int32_t>(from.type);
  to.missing = from.missing.data();
  to.num_missing = from.missing.size();
  to.valid_min = from.valid_min.value_or(-kInfinity);
  to.valid_max = from.valid_max.value_or(kInfinity);
  to.scale_factor = from.scale_factor;
  to.add_offset = from.add_offset;
  to.units = from.units.c_str();
  return to;
}

}  // namespace

PluginInputs::PluginInputs(const Parameters& parameters,
                           const FunctionInputs& inputs) {
  // Reserved, so that the pointers into it stay.
  words_.reserve(parameters.values().size());
  for (const auto& [name, value] : parameters.values()) {
    internode_parameter_value to = {};
    to.name = name.c_str();
    to.is_given = parameters.IsGiven(name) ? 1 : 0;
    std::visit([&to](const auto& v) { Fill(v, &to); }, value);
    if (const auto* words = std::get_if<std::vector<std::string>>(&value)) {
      std::vector<const char*>& pointers = words_.emplace_back();
      for (const std::string& word : *words) pointers.push_back(word.c_str());
      to.words = pointers.data();
    }
    parameters_.push_back(to);
  }
  for (const InputSeries& series : inputs.series) {
    series_.push_back(Describe(series));
  }
  face_.struct_size = sizeof(face_);
  face_.parameters = parameters_.data();
  face_.num_parameters = parameters_.size();
  face_.parameter_size = sizeof(internode_parameter_value);
  face_.series = series_.data();
  face_.num_series = series_.size();
  face_.series_size = sizeof(internode_series);
  face_.count = inputs.count;
  face_.days = inputs.days.empty() ? nullptr : inputs.days.data();
  face_.calendar = inputs.calendar.c_str();
}

internode_schema PluginSchema::Face() {
  internode_schema face = {};
  face.struct_size = sizeof(face);
  face.context = this;
  face.add_dimension = [](void* context, const char* name,
                          const char* const* labels, size_t num_labels) {
    return static_cast<PluginSchema*>(context)->AddDimension(name, labels,
                                                             num_labels);
  };
  face.add_field = [](void* context, const char* name, int32_t type,
                      const char* const* dims, size_t num_dims,
                      const double* fill, const char* units,
                      const char* long_name) {
    return static_cast<PluginSchema*>(context)->AddField(
        name, type, dims, num_dims, fill, units, long_name);
  };
  return face;
}

absl::StatusOr<core::RecordSchema> PluginSchema::Create() const {
  if (!fault_.empty()) return absl::InvalidArgumentError(fault_);
  return core::RecordSchema::Create(fields_, dims_);
}

int32_t PluginSchema::Fault(std::string text) {
  if (fault_.empty()) fault_ = std::move(text);
  return INTERNODE_FAILED;
}

int32_t PluginSchema::AddDimension(const char* name, const char* const* labels,
                                   size_t num_labels) {
  if (name == nullptr) return Fault("a record dimension has no name");
  if (num_labels > kMaxCoordinates || (labels == nullptr && num_labels > 0)) {
    return Fault(absl::StrCat("record dimension '", name, "' has ", num_labels,
                              " labels, and they are ",
                              labels == nullptr ? "null" : "too many"));
  }
  core::LabelledDimension dim;
  dim.name = name;
  for (size_t i = 0; i < num_labels; ++i) {
    if (labels[i] == nullptr) {
      return Fault(absl::StrCat("record dimension '", name,
                                "' has a label that is null"));
    }
    dim.labels.emplace_back(labels[i]);
  }
  dims_.push_back(std::move(dim));
  return INTERNODE_OK;
}

int32_t PluginSchema::AddField(const char* name, int32_t type,
                               const char* const* dims, size_t num_dims,
                               const double* fill, const char* units,
                               const char* long_name) {
  if (name == nullptr) return Fault("a record field has no name");
  if (type < INTERNODE_INT8 || type > INTERNODE_FLOAT64) {
    return Fault(absl::StrCat("record field '", name, "' has the type ", type,
                              ", which does not exist"));
  }
  if (num_dims > kMaxCoordinates || (dims == nullptr && num_dims > 0)) {
    return Fault(absl::StrCat("record field '", name, "' has ", num_dims,
                              " dimensions, and they are ",
                              dims == nullptr ? "null" : "too many"));
  }
  core::Field field;
  field.name = name;
  field.type = static_cast<core::DataType>(type);
  for (size_t i = 0; i < num_dims; ++i) {
    if (dims[i] == nullptr) {
      return Fault(absl::StrCat("record field '", name,
                                "' has a dimension that is null"));
    }
    field.dims.emplace_back(dims[i]);
  }
  if (fill != nullptr) field.fill = *fill;
  if (long_name != nullptr) {
    field.attributes.push_back({"long_name", std::string(long_name)});
  }
  if (units != nullptr) {
    field.attributes.push_back({"units", std::string(units)});
  }
  fields_.push_back(std::move(field));
  return INTERNODE_OK;
}

}  // namespace internode::functions
