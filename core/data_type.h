#ifndef INTERNODE_CORE_DATA_TYPE_H_
#define INTERNODE_CORE_DATA_TYPE_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode::core {

// The types of numbers in cubes and records. NOTE: the values are part of
// stored frames; do not change existing entries.
enum class DataType : uint8_t {
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kUInt8 = 5,
  kUInt16 = 6,
  kUInt32 = 7,
  kUInt64 = 8,
  kFloat32 = 9,
  kFloat64 = 10,
};

// Bytes of one number: 1, 2, 4 or 8.
int64_t DataTypeBytes(DataType type);

// "int8", "uint16", "float32", …
absl::string_view DataTypeName(DataType type);

// NumPy's name of the little-endian type: "|i1", "<u2", "<f4", …
absl::string_view NumpyTypeName(DataType type);

// The type called `name` by DataTypeName.
absl::StatusOr<DataType> ParseDataType(absl::string_view name);

bool IsFloat(DataType type);

// The DataType of the C++ type T.
template <typename T>
constexpr DataType DataTypeOf() {
  if constexpr (std::is_same_v<T, int8_t>) {
    return DataType::kInt8;
  } else if constexpr (std::is_same_v<T, int16_t>) {
    return DataType::kInt16;
  } else if constexpr (std::is_same_v<T, int32_t>) {
    return DataType::kInt32;
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return DataType::kInt64;
  } else if constexpr (std::is_same_v<T, uint8_t>) {
    return DataType::kUInt8;
  } else if constexpr (std::is_same_v<T, uint16_t>) {
    return DataType::kUInt16;
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    return DataType::kUInt32;
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return DataType::kUInt64;
  } else if constexpr (std::is_same_v<T, float>) {
    return DataType::kFloat32;
  } else {
    static_assert(std::is_same_v<T, double>, "not a type of cubes or records");
    return DataType::kFloat64;
  }
}

// Calls `f` with a value-initialised number of the C++ type of `type`, and
// returns what it returns: f([](auto zero) { using T = decltype(zero); … }).
template <typename F>
auto VisitDataType(DataType type, F&& f) {
  switch (type) {
    case DataType::kInt8:
      return std::forward<F>(f)(int8_t{});
    case DataType::kInt16:
      return std::forward<F>(f)(int16_t{});
    case DataType::kInt32:
      return std::forward<F>(f)(int32_t{});
    case DataType::kInt64:
      return std::forward<F>(f)(int64_t{});
    case DataType::kUInt8:
      return std::forward<F>(f)(uint8_t{});
    case DataType::kUInt16:
      return std::forward<F>(f)(uint16_t{});
    case DataType::kUInt32:
      return std::forward<F>(f)(uint32_t{});
    case DataType::kUInt64:
      return std::forward<F>(f)(uint64_t{});
    case DataType::kFloat32:
      return std::forward<F>(f)(float{});
    case DataType::kFloat64:
      break;
  }
  return std::forward<F>(f)(double{});
}

}  // namespace internode::core

#endif  // INTERNODE_CORE_DATA_TYPE_H_
