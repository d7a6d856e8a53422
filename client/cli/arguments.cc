#include "client/cli/arguments.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/status_macros.h"

namespace internode::cli {
namespace {

absl::Status BadForm(absl::string_view option, absl::string_view text,
                     absl::string_view form) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " takes ", form, ", not '", text, "'"));
}

// Splits "a=b"; false without '=' or with nothing before it.
bool SplitPair(absl::string_view text, std::string* key, std::string* value) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0) return false;
  *key = std::string(absl::StripAsciiWhitespace(text.substr(0, equals)));
  *value = std::string(absl::StripAsciiWhitespace(text.substr(equals + 1)));
  return !key->empty();
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ParseIntegers(
    absl::string_view option, absl::string_view text, absl::string_view form) {
  std::vector<std::pair<std::string, int64_t>> pairs;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    std::string key;
    std::string value;
    int64_t number = 0;
    if (!SplitPair(part, &key, &value) || !absl::SimpleAtoi(value, &number)) {
      return BadForm(option, text, form);
    }
    pairs.emplace_back(std::move(key), number);
  }
  return pairs;
}

// "5:10", "5:", ":10", ":" or "5".
bool ParseRange(const std::string& text, int64_t* begin, int64_t* end) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) {
    if (!absl::SimpleAtoi(text, begin) || *begin == INT64_MAX) return false;
    *end = *begin + 1;
    return true;
  }
  const std::string first = text.substr(0, colon);
  const std::string last = text.substr(colon + 1);
  *begin = 0;
  *end = -1;
  if (!first.empty() && !absl::SimpleAtoi(first, begin)) return false;
  if (last.empty()) return true;
  // -1 means an open end; what a user writes is never that.
  return absl::SimpleAtoi(last, end) && *end >= 0;
}

}  // namespace

absl::StatusOr<core::Dimensions> ParseSizes(absl::string_view option,
                                            absl::string_view text) {
  core::Dimensions dims;
  if (absl::StripAsciiWhitespace(text).empty()) return dims;
  INTERNODE_ASSIGN_OR_RETURN(
      const auto pairs, ParseIntegers(option, text, "sizes such as y=5,x=7"));
  for (const auto& [name, size] : pairs) dims.push_back({name, size});
  return dims;
}

absl::StatusOr<ChunkChoice> ParseChunks(absl::string_view text) {
  if (text == "auto") return ChunkChoice(AutoChunks());
  if (text == "none") return ChunkChoice(NoChunks());
  int64_t size = 0;
  if (absl::SimpleAtoi(text, &size)) return ChunkChoice(size);
  INTERNODE_ASSIGN_OR_RETURN(
      ChunkMapping mapping,
      ParseIntegers("--chunks", text,
                    "auto, none, a size, or sizes such as y=100,x=100"));
  return ChunkChoice(std::move(mapping));
}

absl::StatusOr<std::vector<DimensionRange>> ParseSelect(
    absl::string_view text) {
  std::vector<DimensionRange> ranges;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    DimensionRange range;
    std::string value;
    if (!SplitPair(part, &range.dim, &value) ||
        !ParseRange(value, &range.begin, &range.end)) {
      return BadForm("--select", text, "ranges such as y=0:100,x=5:10");
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

absl::StatusOr<std::vector<VariableChoice>> ParseVariables(
    absl::string_view text) {
  std::vector<VariableChoice> choices;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    VariableChoice choice;
    if (!SplitPair(part, &choice.role, &choice.variable)) {
      choice.variable = std::string(absl::StripAsciiWhitespace(part));
    }
    if (choice.variable.empty()) {
      return BadForm("--variables", text,
                     "names such as blue,green or role=variable pairs");
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

absl::StatusOr<std::pair<std::string, std::string>> ParseParameter(
    absl::string_view text) {
  std::pair<std::string, std::string> parameter;
  if (!SplitPair(text, &parameter.first, &parameter.second)) {
    return BadForm("--param", text, "key=value");
  }
  return parameter;
}

absl::StatusOr<DimensionNames> ParseDimensionNames(absl::string_view text) {
  DimensionNames result;
  std::string list(text);
  std::string variable;
  std::string names;
  if (SplitPair(text, &variable, &names)) {
    result.variable = variable;
    list = names;
  }
  INTERNODE_ASSIGN_OR_RETURN(result.names, ParseNames("--dims", list));
  if (result.names.empty()) {
    return BadForm("--dims", text, "names such as time,y,x");
  }
  return result;
}

absl::StatusOr<std::vector<std::string>> ParseNames(absl::string_view option,
                                                    absl::string_view text) {
  std::vector<std::string> names;
  if (absl::StripAsciiWhitespace(text).empty()) return names;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    names.emplace_back(absl::StripAsciiWhitespace(part));
    if (names.back().empty()) {
      return BadForm(option, text, "names such as band,time");
    }
  }
  return names;
}

}  // namespace internode::cli
