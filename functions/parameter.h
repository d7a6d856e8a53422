#ifndef INTERNODE_FUNCTIONS_PARAMETER_H_
#define INTERNODE_FUNCTIONS_PARAMETER_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode::functions {

using ParameterValue =
    std::variant<bool, int64_t, double, std::string, std::vector<double>,
                 std::vector<std::string>>;

// One parameter as a function declares it. The type is that of the default.
struct ParameterSpec {
  std::string name;
  ParameterValue default_value;
  // One sentence, with the unit.
  std::string help;
  // Inclusive range of numbers, and of each number of a list.
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  // The words that text may be; empty: any.
  std::vector<std::string> choices;
  // Other names for it, of other implementations.
  std::vector<std::string> aliases;
};

// A parameter's type as people read it: "bool", "int", "float", "text",
// "list of numbers", "list of words".
absl::string_view ParameterTypeName(const ParameterValue& value);

// The values of all of a function's parameters: those that were given,
// checked, and the defaults of the others. A value.
class Parameters {
 public:
  // Checks `given` (name or alias, value as text: a number, true/false, a
  // word, a comma-separated list, or a JSON array) against `specs`. Errors
  // (kInvalidArgument): an unknown name (the nearest is suggested), a
  // parameter given twice, an ill-typed value, one out of range.
  static absl::StatusOr<Parameters> Parse(
      const std::vector<ParameterSpec>& specs,
      const std::vector<std::pair<std::string, std::string>>& given);

  // The value of parameter `name`, of the type of its declared default. The
  // name and type are the program's own, so that a mismatch is a fault in it:
  // the type's empty value is returned.
  bool GetBool(absl::string_view name) const;
  int64_t GetInt(absl::string_view name) const;
  double GetDouble(absl::string_view name) const;
  std::string GetText(absl::string_view name) const;
  std::vector<double> GetNumbers(absl::string_view name) const;
  std::vector<std::string> GetWords(absl::string_view name) const;
  // Whether the user gave it.
  bool IsGiven(absl::string_view name) const;

  // In the order of the declaration.
  const std::vector<std::pair<std::string, ParameterValue>>& values() const {
    return values_;
  }
  // All values as one JSON object in the order of the declaration; numbers
  // are written so that they read back as the same number.
  std::string ToJson() const;

 private:
  std::vector<std::pair<std::string, ParameterValue>> values_;
  std::vector<bool> given_;
};

// The members of a JSON object as Parameters::Parse takes them. Errors
// (kInvalidArgument): not a JSON object, a nested object.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
ParametersFromJson(absl::string_view json);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_PARAMETER_H_
