#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "functions/builtins.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using core::PixelStatus;
using ::testing::ElementsAre;

TEST(NoopTest, ReturnsNumberedRecords) {
  const TestBlock<int16_t> block({{{1, 1}}, {{2, 2}}});
  const FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1});
  const auto result =
      RunOn(*MakeNoopFunction(), {{"records", "2"}}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->record_counts(), ElementsAre(2, 2));
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kOk, PixelStatus::kOk));
  EXPECT_EQ(Column<int32_t>(*result, "record", 2), 0);
  EXPECT_EQ(Column<int32_t>(*result, "record", 3), 1);
}

TEST(NoopTest, CanReturnNothing) {
  const TestBlock<int16_t> block({{{1, 2}}});
  const auto result =
      RunOn(*MakeNoopFunction(), {{"records", "0"}},
            TestInputs({}, core::DataType::kInt16, {}), block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->records().num_records(), 0);
  EXPECT_THAT(result->statuses(), ElementsAre(PixelStatus::kNoSegments));
}

TEST(NoopTest, RefusesANegativeNumber) {
  const TestBlock<int16_t> block({{{1, 2}}});
  EXPECT_EQ(RunOn(*MakeNoopFunction(), {{"records", "-1"}}, {}, block.block())
                .status()
                .message(),
            "parameter 'records' is -1; it must be from 0 to 1000000");
}

}  // namespace
}  // namespace internode::functions
