#include "cube/h5_attributes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "cube/h5_variable_length.h"

namespace internode::cube {
namespace {

using core::AttributeValue;

// More than this is no description.
constexpr hsize_t kMaxAttributeBytes = hsize_t{64} << 20;
constexpr hssize_t kMaxTexts = 1 << 20;

constexpr std::array<absl::string_view, 9> kFormatAttributes = {
    "CLASS",          "NAME",          "REFERENCE_LIST",
    "DIMENSION_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates",
    "_NCProperties",  "_nc3_strict",   "DIMENSION_LABELS"};

// Cuts a text of fixed length at its first NUL, and the padding off.
std::string FixedText(const char* text, size_t size, bool space_padded) {
  size_t length = strnlen(text, size);
  while (space_padded && length > 0 && text[length - 1] == ' ') --length;
  return std::string(text, length);
}

std::optional<std::vector<std::string>> ReadVariableTexts(
    const h5::ElementSource& source, hid_t type, size_t count)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  auto texts = h5::ReadVariableLength(source, type, 1, count);
  if (!texts.has_value()) return {};
  for (std::string& text : *texts) {
    text.resize(strnlen(text.data(), text.size()));
  }
  return texts;
}

std::optional<std::vector<std::string>> ReadFixedTexts(
    const h5::ElementSource& source, hid_t type, size_t count) {
  const size_t size = H5Tget_size(type);
  if (size == 0 || size > kMaxAttributeBytes / std::max<size_t>(count, 1)) {
    return {};
  }
  std::vector<char> bytes(count * size, '\0');
  if (source.Read(type, bytes.data()) < 0) return {};
  const bool space_padded = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back(FixedText(bytes.data() + i * size, size, space_padded));
  }
  return texts;
}

std::optional<std::vector<std::string>> ReadAllTexts(
    const h5::ElementSource& source, hid_t type, hid_t space)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count < 0 || count > kMaxTexts) return {};
  if (count == 0) return std::vector<std::string>();
  if (H5Tis_variable_str(type) > 0) {
    return ReadVariableTexts(source, type, static_cast<size_t>(count));
  }
  return ReadFixedTexts(source, type, static_cast<size_t>(count));
}

template <typename T>
std::optional<std::vector<T>> ReadNumbers(hid_t attribute, hid_t memory_type,
                                          size_t count) {
  std::vector<T> numbers(count);
  if (H5Aread(attribute, memory_type, numbers.data()) < 0) return {};
  return numbers;
}

std::optional<AttributeValue> ReadIntegers(hid_t attribute, hid_t type,
                                           size_t count) {
  if (H5Tget_sign(type) == H5T_SGN_NONE) {
    auto numbers = ReadNumbers<uint64_t>(attribute, H5T_NATIVE_UINT64, count);
    if (!numbers.has_value()) return {};
    const bool fits =
        std::all_of(numbers->begin(), numbers->end(), [](uint64_t n) {
          return n <= uint64_t{std::numeric_limits<int64_t>::max()};
        });
    if (!fits) return std::vector<double>(numbers->begin(), numbers->end());
    return std::vector<int64_t>(numbers->begin(), numbers->end());
  }
  auto numbers = ReadNumbers<int64_t>(attribute, H5T_NATIVE_INT64, count);
  if (!numbers.has_value()) return {};
  return *std::move(numbers);
}

// Nothing for a type that is neither text nor numbers, and for what cannot be
// read.
std::optional<AttributeValue> ReadValue(hid_t attribute)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::Type type(H5Aget_type(attribute));
  h5::Space space(H5Aget_space(attribute));
  if (!type.valid() || !space.valid()) return {};
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points < 0 || H5Aget_storage_size(attribute) > kMaxAttributeBytes ||
      static_cast<hsize_t>(points) > kMaxAttributeBytes / sizeof(double)) {
    return {};
  }
  const size_t count = static_cast<size_t>(points);
  switch (H5Tget_class(type.get())) {
    case H5T_STRING: {
      auto texts = ReadAllTexts({attribute, false}, type.get(), space.get());
      if (!texts.has_value()) return {};
      return absl::StrJoin(*texts, ", ");
    }
    case H5T_INTEGER:
      return ReadIntegers(attribute, type.get(), count);
    case H5T_FLOAT: {
      auto numbers = ReadNumbers<double>(attribute, H5T_NATIVE_DOUBLE, count);
      if (!numbers.has_value()) return {};
      return *std::move(numbers);
    }
    default:
      return {};
  }
}

bool IsFormatAttribute(absl::string_view name) {
  return std::find(kFormatAttributes.begin(), kFormatAttributes.end(), name) !=
         kFormatAttributes.end();
}

struct AttributeName {
  std::string name;
  int64_t creation_order = 0;
};

herr_t AppendName(hid_t /*object*/, const char* name, const H5A_info_t* info,
                  void* names) {
  static_cast<std::vector<AttributeName>*>(names)->push_back(
      {name, info->corder_valid ? int64_t{info->corder} : 0});
  return 0;
}

h5::Attribute OpenAttribute(hid_t object, const char* name)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  if (!HasAttribute(object, name)) return h5::Attribute();
  return h5::Attribute(H5Aopen(object, name, H5P_DEFAULT));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListAttributes(hid_t object) {
  // The calls and their order avoid crashes of the library: see
  // docs/damaged-files.md.
  std::vector<AttributeName> names;
  hsize_t next = 0;
  if (H5Aexists(object, h5::kNoSuchName) < 0 ||
      H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &next, AppendName,
                  &names) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss, "cannot list attributes");
  }
  std::stable_sort(names.begin(), names.end(),
                   [](const AttributeName& a, const AttributeName& b) {
                     return a.creation_order < b.creation_order;
                   });
  std::vector<std::string> in_order;
  in_order.reserve(names.size());
  for (AttributeName& name : names) in_order.push_back(std::move(name.name));
  return in_order;
}

absl::StatusOr<core::Attributes> ReadAttributes(hid_t object) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             ListAttributes(object));
  core::Attributes attributes;
  for (const std::string& name : names) {
    if (IsFormatAttribute(name)) continue;
    h5::Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
    if (!attribute.valid()) continue;
    std::optional<AttributeValue> value = ReadValue(attribute.get());
    if (value.has_value()) attributes.push_back({name, *std::move(value)});
  }
  return attributes;
}

bool HasAttribute(hid_t object, const char* name) {
  return H5Aexists(object, name) > 0;
}

std::vector<std::string> ReadTextListAttribute(hid_t object, const char* name) {
  h5::Attribute attribute = OpenAttribute(object, name);
  if (!attribute.valid()) return {};
  h5::Type type(H5Aget_type(attribute.get()));
  h5::Space space(H5Aget_space(attribute.get()));
  if (!type.valid() || !space.valid() ||
      H5Tget_class(type.get()) != H5T_STRING) {
    return {};
  }
  return ReadAllTexts({attribute.get(), false}, type.get(), space.get())
      .value_or(std::vector<std::string>());
}

std::optional<std::string> ReadTextAttribute(hid_t object, const char* name) {
  std::vector<std::string> texts = ReadTextListAttribute(object, name);
  if (texts.size() != 1) return {};
  return std::move(texts[0]);
}

std::vector<int64_t> ReadIntegerAttribute(hid_t object, const char* name) {
  h5::Attribute attribute = OpenAttribute(object, name);
  if (!attribute.valid()) return {};
  std::optional<AttributeValue> value = ReadValue(attribute.get());
  if (!value.has_value()) return {};
  const auto* numbers = std::get_if<std::vector<int64_t>>(&*value);
  return numbers == nullptr ? std::vector<int64_t>() : *numbers;
}

std::vector<std::vector<uint64_t>> ReadScaleLists(hid_t dataset, size_t rank) {
  std::vector<std::vector<uint64_t>> addresses(rank);
  h5::Attribute attribute = OpenAttribute(dataset, "DIMENSION_LIST");
  if (!attribute.valid()) return addresses;
  h5::Type type(H5Aget_type(attribute.get()));
  h5::Space space(H5Aget_space(attribute.get()));
  h5::Type element(type.valid() && H5Tget_class(type.get()) == H5T_VLEN
                       ? H5Tget_super(type.get())
                       : -1);
  if (!space.valid() || !element.valid() ||
      H5Tequal(element.get(), H5T_STD_REF_OBJ) <= 0 ||
      H5Sget_simple_extent_npoints(space.get()) !=
          static_cast<hssize_t>(rank)) {
    return addresses;
  }
  const auto lists = h5::ReadVariableLength(
      {attribute.get(), false}, type.get(), sizeof(hobj_ref_t), rank);
  if (!lists.has_value()) return addresses;
  for (size_t d = 0; d < rank; ++d) {
    const std::string& list = (*lists)[d];
    for (size_t at = 0; at + sizeof(hobj_ref_t) <= list.size();
         at += sizeof(hobj_ref_t)) {
      uint64_t address = 0;
      for (size_t byte = sizeof(hobj_ref_t); byte-- > 0;) {
        address = address << 8 | static_cast<uint8_t>(list[at + byte]);
      }
      addresses[d].push_back(address);
    }
  }
  return addresses;
}

absl::StatusOr<std::vector<std::string>> ReadTexts(hid_t dataset) {
  h5::Type type(H5Dget_type(dataset));
  h5::Space space(H5Dget_space(dataset));
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  std::optional<std::vector<std::string>> texts;
  if (type.valid() && rank >= 0) {
    texts = ReadAllTexts({dataset, true}, type.get(), space.get());
  }
  if (!texts.has_value()) {
    return h5::Error(absl::StatusCode::kDataLoss, "cannot read texts");
  }
  if (rank < 2) return *std::move(texts);
  // Characters: joined along the last dimension.
  std::array<hsize_t, H5S_MAX_RANK> shape{};
  H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
  const size_t length = shape[static_cast<size_t>(rank) - 1];
  std::vector<std::string> joined;
  for (size_t i = 0; length > 0 && i + length <= texts->size(); i += length) {
    std::string text;
    for (size_t c = i; c < i + length; ++c) text += (*texts)[c];
    while (!text.empty() && text.back() == ' ') text.pop_back();
    joined.push_back(std::move(text));
  }
  return joined;
}

}  // namespace internode::cube
