#ifndef INTERNODE_CORE_ATTRIBUTE_H_
#define INTERNODE_CORE_ATTRIBUTE_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace internode::core {

// What a file says about itself, a variable or a column: text, or numbers
// (one or more). Integers keep their values, floats are widened.
using AttributeValue =
    std::variant<std::string, std::vector<int64_t>, std::vector<double>>;

struct Attribute {
  std::string name;
  AttributeValue value;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

// In the file's own order.
using Attributes = std::vector<Attribute>;

// The value of `name`, or null.
inline const AttributeValue* FindAttribute(const Attributes& attributes,
                                           absl::string_view name) {
  for (const Attribute& attribute : attributes) {
    if (attribute.name == name) return &attribute.value;
  }
  return nullptr;
}

// The text of `name`, or an empty string when it is absent or not text.
inline std::string TextAttribute(const Attributes& attributes,
                                 absl::string_view name) {
  const AttributeValue* value = FindAttribute(attributes, name);
  if (value == nullptr) return "";
  const std::string* text = std::get_if<std::string>(value);
  return text == nullptr ? "" : *text;
}

}  // namespace internode::core

#endif  // INTERNODE_CORE_ATTRIBUTE_H_
