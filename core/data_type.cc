#include "core/data_type.h"

#include <array>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"

namespace internode::core {
namespace {

struct Entry {
  DataType type;
  absl::string_view name;
  absl::string_view numpy;
  int64_t bytes;
};

constexpr std::array<Entry, 10> kEntries = {{
    {DataType::kInt8, "int8", "|i1", 1},
    {DataType::kInt16, "int16", "<i2", 2},
    {DataType::kInt32, "int32", "<i4", 4},
    {DataType::kInt64, "int64", "<i8", 8},
    {DataType::kUInt8, "uint8", "|u1", 1},
    {DataType::kUInt16, "uint16", "<u2", 2},
    {DataType::kUInt32, "uint32", "<u4", 4},
    {DataType::kUInt64, "uint64", "<u8", 8},
    {DataType::kFloat32, "float32", "<f4", 4},
    {DataType::kFloat64, "float64", "<f8", 8},
}};

const Entry& EntryOf(DataType type) {
  return kEntries[static_cast<size_t>(type) - 1];
}

}  // namespace

int64_t DataTypeBytes(DataType type) { return EntryOf(type).bytes; }

absl::string_view DataTypeName(DataType type) { return EntryOf(type).name; }

absl::string_view NumpyTypeName(DataType type) { return EntryOf(type).numpy; }

bool IsFloat(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat64;
}

absl::StatusOr<DataType> ParseDataType(absl::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.type;
    names.emplace_back(entry.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", name, "' is not a data type; ",
                   WhatExists("there are", name, names)));
}

}  // namespace internode::core
