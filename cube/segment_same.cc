#include "cube/segment_same.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "cube/segment_layout.h"

namespace internode::cube {
namespace {

bool SameNumber(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

bool SameNumbers(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameNumber);
}

bool SameAttribute(const core::Attribute& a, const core::Attribute& b) {
  const auto* a_numbers = std::get_if<std::vector<double>>(&a.value);
  const auto* b_numbers = std::get_if<std::vector<double>>(&b.value);
  if (a_numbers != nullptr && b_numbers != nullptr) {
    return a.name == b.name && SameNumbers(*a_numbers, *b_numbers);
  }
  return a == b;
}

bool SameAttributes(const core::Attributes& a, const core::Attributes& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameAttribute);
}

bool SameField(const core::Field& a, const core::Field& b) {
  const bool same_fill = a.fill.has_value() == b.fill.has_value() &&
                         (!a.fill.has_value() || SameNumber(*a.fill, *b.fill));
  return same_fill && a.name == b.name && a.type == b.type &&
         a.dims == b.dims && SameAttributes(a.attributes, b.attributes);
}

bool SameCoordinate(const core::CoordinateInfo& a,
                    const core::CoordinateInfo& b) {
  return a.dim == b.dim && a.type == b.type && a.labels == b.labels &&
         SameNumbers(a.values, b.values) &&
         SameAttributes(a.attributes, b.attributes);
}

// The name of the first attribute that is not in both, or differs.
std::string DifferentAttribute(const core::Attributes& a,
                               const core::Attributes& b) {
  for (const core::Attribute& attribute : a) {
    const auto same = [&](const core::Attribute& other) {
      return SameAttribute(attribute, other);
    };
    if (std::none_of(b.begin(), b.end(), same)) return attribute.name;
  }
  return a.size() < b.size() ? DifferentAttribute(b, a) : "";
}

}  // namespace

bool SameSchema(const core::RecordSchema& a, const core::RecordSchema& b) {
  return a.dims() == b.dims() &&
         std::equal(a.fields().begin(), a.fields().end(), b.fields().begin(),
                    b.fields().end(), SameField);
}

std::string Difference(const SegmentFileSpec& a, const SegmentFileSpec& b) {
  const std::string attribute = DifferentAttribute(
      Without(a.attributes, {"job_id"}), Without(b.attributes, {"job_id"}));
  if (!attribute.empty())
    return absl::StrCat("the attribute '", attribute, "'");
  if (!SameSchema(*a.schema, *b.schema)) return "the columns";
  if (!(a.grid == b.grid)) return "the chunk grid";
  if (!std::equal(a.coordinates.begin(), a.coordinates.end(),
                  b.coordinates.begin(), b.coordinates.end(), SameCoordinate)) {
    return "the coordinates";
  }
  if (a.grid_mapping.has_value() != b.grid_mapping.has_value() ||
      (a.grid_mapping.has_value() &&
       !SameAttributes(a.grid_mapping->attributes,
                       b.grid_mapping->attributes))) {
    return "the grid mapping";
  }
  return "";
}

}  // namespace internode::cube
