#include "core/data_type.h"

#include <gtest/gtest.h>

#include <string>

namespace internode::core {
namespace {

TEST(DataTypeTest, NamesReadBack) {
  for (int i = 1; i <= 10; ++i) {
    const DataType type = static_cast<DataType>(i);
    EXPECT_EQ(*ParseDataType(DataTypeName(type)), type);
    EXPECT_EQ(VisitDataType(
                  type, [](auto zero) { return DataTypeOf<decltype(zero)>(); }),
              type);
    EXPECT_EQ(
        VisitDataType(
            type, [](auto zero) { return static_cast<int64_t>(sizeof(zero)); }),
        DataTypeBytes(type));
    EXPECT_EQ(NumpyTypeName(type).back(), '0' + DataTypeBytes(type));
  }
}

TEST(DataTypeTest, RefusesOtherNames) {
  EXPECT_EQ(std::string(ParseDataType("int12").status().message()),
            "'int12' is not a data type; there are int8, int16, int32, int64, "
            "uint8, uint16, uint32, uint64, float32, float64 (did you mean "
            "'int16'?)");
}

}  // namespace
}  // namespace internode::core
