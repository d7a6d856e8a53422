#include "functions/clear_codes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace internode::functions {
namespace {

// Bit numbers that a double holds exactly.
constexpr double kMaxBit = 52;
constexpr double kExactIntegers = 9007199254740992.0;

int64_t BitsOf(const std::vector<double>& numbers) {
  int64_t bits = 0;
  for (const double number : numbers) {
    bits |= int64_t{1} << static_cast<int64_t>(number);
  }
  return bits;
}

std::vector<int64_t> IntegersOf(const InputSeries& series,
                                absl::string_view attribute) {
  const core::AttributeValue* value =
      core::FindAttribute(series.attributes, attribute);
  if (value == nullptr) return {};
  const auto* integers = std::get_if<std::vector<int64_t>>(value);
  return integers == nullptr ? std::vector<int64_t>() : *integers;
}

// What the variable's CF flags say, if they speak of clear observations.
bool FromFlags(const InputSeries& series, ClearCodes* clear) {
  const std::string meanings_text =
      core::TextAttribute(series.attributes, "flag_meanings");
  const std::vector<std::string> meanings =
      absl::StrSplit(meanings_text, ' ', absl::SkipEmpty());
  const std::vector<int64_t> masks = IntegersOf(series, "flag_masks");
  const std::vector<int64_t> values = IntegersOf(series, "flag_values");
  // Masks together with values are fields of several bits.
  if (masks.empty() == values.empty()) return false;
  const std::vector<int64_t>& numbers = masks.empty() ? values : masks;
  ClearCodes found;
  bool has_clear = false;
  for (size_t i = 0; i < std::min(meanings.size(), numbers.size()); ++i) {
    const std::string meaning = absl::AsciiStrToLower(meanings[i]);
    if (meaning != "clear" && meaning != "water") continue;
    has_clear = has_clear || meaning == "clear";
    if (masks.empty()) {
      found.codes.push_back(static_cast<double>(numbers[i]));
    } else {
      found.any_of_bits |= numbers[i];
    }
  }
  if (has_clear) *clear = found;
  return has_clear;
}

}  // namespace

bool ClearCodes::IsClear(double value) const {
  if (any_of_bits != 0) {
    return std::abs(value) < kExactIntegers &&
           (static_cast<int64_t>(value) & any_of_bits) != 0;
  }
  return std::find(codes.begin(), codes.end(), value) != codes.end();
}

std::string ClearCodes::Text() const {
  if (any_of_bits == 0) {
    return absl::StrCat("codes ", absl::StrJoin(codes, ", "));
  }
  std::vector<int> bits;
  for (int bit = 0; bit < 63; ++bit) {
    if ((any_of_bits >> bit & 1) != 0) bits.push_back(bit);
  }
  return absl::StrCat("bits ", absl::StrJoin(bits, ", "));
}

std::vector<ParameterSpec> ClearParameters() {
  ParameterSpec codes;
  codes.name = "clear";
  codes.default_value = std::vector<double>{0, 1};
  codes.help =
      "Codes of the quality variable that mean a clear observation; 0 and 1 "
      "are clear and water of CFMask.";
  ParameterSpec bits;
  bits.name = "clear_bits";
  bits.default_value = std::vector<double>{};
  bits.help =
      "Numbers of the bits (0 the lowest) of a bit-packed quality variable of "
      "which any means a clear observation; instead of `clear`.";
  bits.min = 0;
  bits.max = kMaxBit;
  return {codes, bits};
}

RoleSpec QualityRole() {
  RoleSpec role;
  role.name = "qa";
  role.help = "Codes that say which observations are clear.";
  role.required = false;
  role.codes = true;
  role.guesses = {"qa",       "cfmask", "pixel_qa", "pixelqa",
                  "qa_pixel", "fmask",  "mask",     "quality"};
  return role;
}

absl::StatusOr<ClearCodes> ChooseClearCodes(const Parameters& parameters,
                                            const InputSeries& quality) {
  ClearCodes clear;
  const std::vector<double> bits = parameters.GetNumbers("clear_bits");
  if (parameters.IsGiven("clear_bits") && parameters.IsGiven("clear")) {
    return absl::InvalidArgumentError(
        "parameters 'clear' and 'clear_bits' are both given; give one");
  }
  if (parameters.IsGiven("clear_bits")) {
    for (const double bit : bits) {
      if (bit != std::floor(bit)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "parameter 'clear_bits' has ", bit, ", which is no bit's number"));
      }
    }
    clear.any_of_bits = BitsOf(bits);
    return clear;
  }
  clear.codes = parameters.GetNumbers("clear");
  if (parameters.IsGiven("clear")) return clear;
  if (FromFlags(quality, &clear)) return clear;
  const std::string& name = quality.source.variable;
  const std::string base = name.substr(name.rfind('/') + 1);
  if (absl::EqualsIgnoreCase(base, "qa_pixel")) {
    clear = {.codes = {}, .any_of_bits = BitsOf({6, 7})};
  } else if (absl::EqualsIgnoreCase(base, "pixel_qa") ||
             absl::EqualsIgnoreCase(base, "pixelqa")) {
    clear = {.codes = {}, .any_of_bits = BitsOf({1, 2})};
  }
  return clear;
}

void KeepClear(const ClearCodes& clear, absl::Span<const double> quality,
               absl::Span<uint8_t> valid) {
  for (size_t i = 0; i < quality.size(); ++i) {
    if (valid[i] != 0 && !clear.IsClear(quality[i])) valid[i] = 0;
  }
}

}  // namespace internode::functions
