#include "core/record_schema.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace internode::core {
namespace {

Field Scalar(std::string name, DataType type) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

Field Array(std::string name, DataType type, std::vector<std::string> dims) {
  Field field = Scalar(std::move(name), type);
  field.dims = std::move(dims);
  return field;
}

std::string MessageOf(const absl::StatusOr<RecordSchema>& schema) {
  return schema.ok() ? "" : std::string(schema.status().message());
}

TEST(RecordSchemaTest, PacksFieldsWithoutPadding) {
  const RecordSchema schema = *RecordSchema::Create(
      {Scalar("category", DataType::kInt8), Scalar("t_start", DataType::kInt32),
       Array("coefs", DataType::kFloat32, {"band", "coef"}),
       Scalar("prob", DataType::kFloat64)},
      {{"band", {"red", "nir"}}, {"coef", {"a", "b", "c"}}});
  EXPECT_EQ(schema.record_bytes(), 1 + 4 + 2 * 3 * 4 + 8);
  EXPECT_EQ(schema.offset(1), 1);
  EXPECT_EQ(schema.offset(2), 5);
  EXPECT_EQ(schema.offset(3), 29);
  EXPECT_EQ(schema.count(2), 6);
  EXPECT_EQ(schema.shape(2), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(schema.FieldIndex("prob"), 3);
  EXPECT_EQ(schema.FieldIndex("none"), -1);
}

TEST(RecordSchemaTest, PrintsNumpysDescr) {
  const RecordSchema schema = *RecordSchema::Create(
      {Scalar("n", DataType::kUInt8),
       Array("rmse", DataType::kFloat32, {"band"}),
       Array("coefs", DataType::kFloat64, {"band", "coef"})},
      {{"band", {"red"}}, {"coef", {"a", "b"}}});
  EXPECT_EQ(schema.NumpyDescr(),
            "[('n', '|u1'), ('rmse', '<f4', (1,)), ('coefs', '<f8', (1, 2))]");
  EXPECT_EQ(RecordSchema().NumpyDescr(), "[]");
}

TEST(RecordSchemaTest, RefusesWhatIsNotASchema) {
  EXPECT_EQ(MessageOf(RecordSchema::Create({Scalar("", DataType::kInt8)})),
            "record field '' is not a name; use letters, digits and '_', and "
            "no digit first");
  EXPECT_NE(MessageOf(RecordSchema::Create({Scalar("a b", DataType::kInt8)})),
            "");
  EXPECT_NE(MessageOf(RecordSchema::Create({Scalar("1a", DataType::kInt8)})),
            "");
  EXPECT_EQ(MessageOf(RecordSchema::Create(
                {Scalar("a", DataType::kInt8), Scalar("a", DataType::kInt8)})),
            "record field 'a' is declared twice");
  EXPECT_EQ(MessageOf(RecordSchema::Create(
                {Array("a", DataType::kInt8, {"bnd"})}, {{"band", {"red"}}})),
            "record field 'a' has an unknown dimension 'bnd'; there are band "
            "(did you mean 'band'?)");
  EXPECT_EQ(MessageOf(RecordSchema::Create({}, {{"band", {}}})),
            "record dimension 'band' has no labels");
}

TEST(RecordSchemaTest, RefusesHugeRecords) {
  const LabelledDimension wide = {"n", std::vector<std::string>(1024, "l")};
  EXPECT_EQ(MessageOf(RecordSchema::Create(
                {Array("a", DataType::kInt8,
                       {"n", "n", "n", "n", "n", "n", "n", "n", "n", "n"})},
                {wide})),
            "a record is larger than 1048576 bytes at its field 'a'");
  EXPECT_TRUE(
      RecordSchema::Create({Array("a", DataType::kInt8, {"n", "n"})}, {wide})
          .ok());
}

}  // namespace
}  // namespace internode::core
