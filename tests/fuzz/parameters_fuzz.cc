// Parameters from untrusted text: lines of name=value, or one JSON object.
// What is accepted is in its range, and reads back as the same from its JSON.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

#include "base/quantity.h"
#include "functions/parameter.h"

namespace internode::functions {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

void Require(bool condition) {
  if (!condition) std::abort();
}

ParameterSpec SpecOf(absl::string_view name, ParameterValue value) {
  ParameterSpec spec;
  spec.name = std::string(name);
  spec.default_value = std::move(value);
  return spec;
}

std::vector<ParameterSpec> MakeSpecs() {
  ParameterSpec count = SpecOf("count", int64_t{3});
  count.min = -5;
  count.max = 1e12;
  ParameterSpec rate = SpecOf("rate", 0.5);
  rate.min = 0;
  rate.max = 1;
  rate.aliases = {"p", "probability"};
  ParameterSpec mode = SpecOf("mode", std::string("slow"));
  mode.choices = {"slow", "fast"};
  ParameterSpec numbers = SpecOf("numbers", std::vector<double>{1, 2});
  numbers.min = -1e6;
  numbers.max = 1e6;
  return {SpecOf("flag", false),
          count,
          SpecOf("any", int64_t{0}),
          rate,
          SpecOf("scale", 1.0),
          SpecOf("name", std::string("x")),
          mode,
          numbers,
          SpecOf("words", std::vector<std::string>{"a"})};
}

const std::vector<ParameterSpec>& Specs() {
  static const auto* const specs = new std::vector<ParameterSpec>(MakeSpecs());
  return *specs;
}

void Check(const Parameters& parameters) {
  const int64_t count = parameters.GetInt("count");
  Require(count >= -5 && count <= 1'000'000'000'000);
  const double rate = parameters.GetDouble("rate");
  Require(rate >= 0 && rate <= 1);
  const std::string mode = parameters.GetText("mode");
  Require(mode == "slow" || mode == "fast");
  for (const double number : parameters.GetNumbers("numbers")) {
    Require(number >= -1e6 && number <= 1e6);
  }
}

void Try(const Given& given) {
  const absl::StatusOr<Parameters> parameters =
      Parameters::Parse(Specs(), given);
  if (!parameters.ok()) {
    Require(parameters.status().code() == absl::StatusCode::kInvalidArgument);
    Require(!absl::StrContains(parameters.status().message(), '\n') ||
            std::any_of(given.begin(), given.end(), [](const auto& one) {
              return absl::StrContains(one.first + one.second, '\n');
            }));
    return;
  }
  Check(*parameters);
  const std::string json = parameters->ToJson();
  const absl::StatusOr<Given> again = ParametersFromJson(json);
  Require(again.ok());
  const absl::StatusOr<Parameters> same = Parameters::Parse(Specs(), *again);
  Require(same.ok() && same->ToJson() == json);
}

}  // namespace
}  // namespace internode::functions

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using internode::functions::Given;
  if (size > 1 << 14) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  Given given;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> one =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    given.push_back(one);
  }
  internode::functions::Try(given);
  const absl::StatusOr<Given> members =
      internode::functions::ParametersFromJson(text);
  if (members.ok()) internode::functions::Try(*members);
  (void)internode::ParseBytes(text).ok();
  (void)internode::ParseDuration(text).ok();
  return 0;
}
