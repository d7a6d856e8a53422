#include "core/record_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/block_result.h"

namespace internode::core {
namespace {

std::shared_ptr<const RecordSchema> Schema() {
  Field flag;
  flag.name = "flag";
  flag.type = DataType::kUInt8;
  Field values;
  values.name = "values";
  values.type = DataType::kFloat64;
  values.dims = {"n"};
  return std::make_shared<RecordSchema>(
      *RecordSchema::Create({flag, values}, {{"n", {"a", "b"}}}));
}

TEST(RecordBatchTest, HoldsPackedRows) {
  RecordBatch batch(Schema());
  for (int i = 0; i < 3; ++i) {
    uint8_t* row = batch.Append();
    StoreField<uint8_t>(row, 0, static_cast<uint8_t>(i));
    StoreField<double>(row, 1, i + 0.25, 0);
    StoreField<double>(row, 1, i + 0.75, 1);
  }
  EXPECT_EQ(batch.num_records(), 3);
  EXPECT_EQ(batch.bytes().size(), 3u * 17u);
  EXPECT_EQ(batch.Get<uint8_t>(2, 0), 2);
  EXPECT_EQ(batch.Get<double>(2, 1, 1), 2.75);
  batch.Truncate(1);
  EXPECT_EQ(batch.num_records(), 1);
  EXPECT_EQ(batch.bytes().size(), 17u);
}

TEST(RecordBatchTest, NewRecordsAreZeros) {
  RecordBatch batch(Schema());
  StoreField<double>(batch.Append(), 1, 5.0);
  batch.Clear();
  batch.Append();
  EXPECT_EQ(batch.Get<double>(0, 1), 0.0);
}

TEST(RecordBatchTest, CountsRecordsWithoutFields) {
  RecordBatch batch(std::make_shared<RecordSchema>());
  batch.Append();
  batch.Append();
  EXPECT_EQ(batch.num_records(), 2);
  EXPECT_TRUE(batch.bytes().empty());
}

TEST(RecordBatchTest, AppendsOtherBatchesAndRows) {
  RecordBatch a(Schema());
  StoreField<uint8_t>(a.Append(), 0, 1);
  RecordBatch b(Schema());
  StoreField<uint8_t>(b.Append(), 0, 2);
  a.Append(b);
  a.AppendRows(b.bytes(), 1);
  EXPECT_EQ(a.num_records(), 3);
  EXPECT_EQ(a.Get<uint8_t>(1, 0), 2);
  EXPECT_EQ(a.Get<uint8_t>(2, 0), 2);
}

TEST(RecordBatchTest, GivesItsMemoryAwayForAnother) {
  RecordBatch batch(Schema());
  StoreField<uint8_t>(batch.Append(), 0, 7);
  StoreField<uint8_t>(batch.Append(), 0, 8);
  const std::string rows(reinterpret_cast<const char*>(batch.bytes().data()),
                         batch.bytes().size());
  const uint8_t* const first = batch.row(0);
  std::string memory(1000, 'x');
  const char* const given = memory.data();
  batch.SwapMemory(&memory);
  EXPECT_EQ(memory.substr(RecordBatch::kHeadBytes), rows);
  EXPECT_EQ(
      reinterpret_cast<const uint8_t*>(memory.data()) + RecordBatch::kHeadBytes,
      first);
  EXPECT_EQ(batch.num_records(), 0);
  EXPECT_TRUE(batch.bytes().empty());
  batch.Append();
  EXPECT_EQ(batch.Get<double>(0, 1, 1), 0.0);
  EXPECT_EQ(reinterpret_cast<const char*>(batch.row(0)),
            given + RecordBatch::kHeadBytes);
  // One with nothing in it is as good.
  std::string empty;
  batch.SwapMemory(&empty);
  EXPECT_TRUE(batch.bytes().empty());
  StoreField<uint8_t>(batch.Append(), 0, 9);
  EXPECT_EQ(batch.Get<uint8_t>(0, 0), 9);
}

TEST(BlockResultTest, CountsRecordsPerPixel) {
  BlockResult result(Schema());
  result.AddRecord();
  result.AddRecord();
  result.FinishPixel(PixelStatus::kOk);
  result.FinishPixel(PixelStatus::kNoSegments);
  result.AddRecord();
  result.FailPixel("matrix is singular");
  result.AddRecord();
  result.FinishPixel(PixelStatus::kOk);
  EXPECT_EQ(result.num_pixels(), 4);
  EXPECT_EQ(result.record_counts(), (std::vector<uint32_t>{2, 0, 0, 1}));
  EXPECT_EQ(result.records().num_records(), 3);
  EXPECT_EQ(result.statuses()[2], PixelStatus::kFailed);
  EXPECT_EQ(result.failures(),
            (std::vector<BlockResult::Failure>{{2, "matrix is singular"}}));
}

TEST(BlockResultTest, ClearForgetsEverything) {
  BlockResult result(Schema());
  result.AddRecord();
  result.FailPixel("x");
  result.AddRecord();
  result.Clear();
  EXPECT_EQ(result.num_pixels(), 0);
  EXPECT_EQ(result.records().num_records(), 0);
  result.FinishPixel(PixelStatus::kOk);
  EXPECT_EQ(result.record_counts(), std::vector<uint32_t>{0});
  EXPECT_TRUE(result.failures().empty());
}

}  // namespace
}  // namespace internode::core
