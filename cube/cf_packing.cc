#include "cube/cf_packing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace internode::cube {
namespace {

using core::Attributes;
using core::AttributeValue;
using core::DataType;

std::vector<double> Numbers(const Attributes& attributes,
                            absl::string_view name) {
  const AttributeValue* value = core::FindAttribute(attributes, name);
  if (value == nullptr) return {};
  if (const auto* integers = std::get_if<std::vector<int64_t>>(value)) {
    return std::vector<double>(integers->begin(), integers->end());
  }
  if (const auto* floats = std::get_if<std::vector<double>>(value)) {
    return *floats;
  }
  return {};
}

DataType Twin(DataType type, bool is_unsigned) {
  switch (type) {
    case DataType::kInt8:
    case DataType::kUInt8:
      return is_unsigned ? DataType::kUInt8 : DataType::kInt8;
    case DataType::kInt16:
    case DataType::kUInt16:
      return is_unsigned ? DataType::kUInt16 : DataType::kInt16;
    case DataType::kInt32:
    case DataType::kUInt32:
      return is_unsigned ? DataType::kUInt32 : DataType::kInt32;
    case DataType::kInt64:
    case DataType::kUInt64:
      return is_unsigned ? DataType::kUInt64 : DataType::kInt64;
    default:
      return type;
  }
}

// `value` as a number of `type`, or nothing if the type has no such number.
std::optional<double> AsNumberOf(DataType type, double value) {
  return core::VisitDataType(type, [value](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) {
      // A float32 variable's missing value may be written as a float64.
      return std::optional<double>(static_cast<double>(static_cast<T>(value)));
    } else {
      const double low = static_cast<double>(std::numeric_limits<T>::min());
      // One beyond the largest: exact, where the largest itself may not be.
      const double beyond = std::ldexp(1.0, std::numeric_limits<T>::digits);
      if (!(value >= low && value < beyond) || value != std::floor(value)) {
        return std::optional<double>();
      }
      return std::optional<double>(value);
    }
  });
}

// A number of the stored type as its bits mean it.
double Reinterpret(double value, DataType stored, DataType meant) {
  if (stored == meant || core::IsFloat(stored)) return value;
  const double bits =
      std::ldexp(1.0, static_cast<int>(core::DataTypeBytes(stored)) * 8);
  const bool to_unsigned = meant >= DataType::kUInt8;
  if (to_unsigned && value < 0) return value + bits;
  if (!to_unsigned && value >= bits / 2) return value - bits;
  return value;
}

}  // namespace

DataType MeantType(DataType stored, const Attributes& attributes) {
  const std::string text = core::TextAttribute(attributes, "_Unsigned");
  if (absl::EqualsIgnoreCase(text, "true")) return Twin(stored, true);
  if (absl::EqualsIgnoreCase(text, "false")) return Twin(stored, false);
  return stored;
}

std::optional<double> NumberAttribute(const Attributes& attributes,
                                      absl::string_view name) {
  const std::vector<double> numbers = Numbers(attributes, name);
  if (numbers.empty()) return {};
  return numbers[0];
}

void SetPacking(DataType stored, core::VariableInfo* variable) {
  const Attributes& attributes = variable->attributes;
  for (absl::string_view name : {"_FillValue", "missing_value"}) {
    for (double value : Numbers(attributes, name)) {
      const std::optional<double> number = AsNumberOf(
          variable->type, Reinterpret(value, stored, variable->type));
      if (!number.has_value()) continue;
      const bool known = std::any_of(
          variable->missing.begin(), variable->missing.end(), [&](double m) {
            return m == *number || (std::isnan(m) && std::isnan(*number));
          });
      if (!known) variable->missing.push_back(*number);
    }
  }
  std::optional<double> low = NumberAttribute(attributes, "valid_min");
  std::optional<double> high = NumberAttribute(attributes, "valid_max");
  const std::vector<double> range = Numbers(attributes, "valid_range");
  if (range.size() == 2) {
    low = range[0];
    high = range[1];
  }
  if (low) variable->valid_min = Reinterpret(*low, stored, variable->type);
  if (high) variable->valid_max = Reinterpret(*high, stored, variable->type);
  variable->scale_factor =
      NumberAttribute(attributes, "scale_factor").value_or(1);
  variable->add_offset = NumberAttribute(attributes, "add_offset").value_or(0);
}

}  // namespace internode::cube
