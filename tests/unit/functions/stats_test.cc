#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "functions/builtins.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using core::PixelStatus;
using ::testing::ElementsAre;

TEST(StatsTest, DescribesEachBand) {
  const TestBlock<int16_t> block(
      {{{2, 4, 4, 4, 5, 5, 7, 9}, {-1, -9999, -3, 300, 1, -9999, 2, 3}}});
  FunctionInputs inputs =
      TestInputs({{"bands", "a"}, {"bands", "b"}}, core::DataType::kInt16,
                 std::vector<double>(8, 0));
  inputs.series[1].missing = {-9999};
  inputs.series[1].valid_max = 100;
  const auto result = RunOn(*MakeStatsFunction(), {}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 0), 8);
  EXPECT_EQ(Column<double>(*result, "mean", 0, 0), 5);
  EXPECT_EQ(Column<double>(*result, "min", 0, 0), 2);
  EXPECT_EQ(Column<double>(*result, "max", 0, 0), 9);
  EXPECT_EQ(Column<double>(*result, "std", 0, 0), 2);
  // -1, -3, 1, 2, 3.
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 1), 5);
  EXPECT_DOUBLE_EQ(Column<double>(*result, "mean", 0, 1), 0.4);
  EXPECT_EQ(Column<double>(*result, "min", 0, 1), -3);
  EXPECT_EQ(Column<double>(*result, "max", 0, 1), 3);
  EXPECT_DOUBLE_EQ(Column<double>(*result, "std", 0, 1), std::sqrt(4.64));
  EXPECT_THAT(result->statuses(), ElementsAre(PixelStatus::kOk));
  EXPECT_THAT(result->records().schema().dims()[0].labels,
              ElementsAre("a", "b"));
}

TEST(StatsTest, SampleDeviationDividesByOneLess) {
  const TestBlock<float> block({{{1, 3}}, {{5, std::nanf("")}}});
  const FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kFloat32, {0, 1});
  const auto result =
      RunOn(*MakeStatsFunction(), {{"ddof", "1"}}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_DOUBLE_EQ(Column<double>(*result, "std", 0), std::sqrt(2.0));
  EXPECT_TRUE(std::isnan(Column<double>(*result, "std", 1)));
  EXPECT_EQ(Column<double>(*result, "mean", 1), 5);
}

// Close values far from zero, where one pass of sums of squares fails.
TEST(StatsTest, DeviationKeepsItsDigits) {
  const TestBlock<double> block({{{1e9 + 1, 1e9 + 2, 1e9 + 3}}});
  const auto result =
      RunOn(*MakeStatsFunction(), {},
            TestInputs({{"bands", "a"}}, core::DataType::kFloat64, {0, 1, 2}),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_DOUBLE_EQ(Column<double>(*result, "std", 0), std::sqrt(2.0 / 3));
}

TEST(StatsTest, APixelWithoutObservationsHasACountOfZero) {
  const TestBlock<float> block(
      {{{std::nanf(""), std::numeric_limits<float>::infinity()}}});
  const auto result =
      RunOn(*MakeStatsFunction(), {},
            TestInputs({{"bands", "a"}}, core::DataType::kFloat32, {0, 1}),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->records().num_records(), 1);
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0), 0);
  for (const char* name : {"mean", "min", "max", "std"}) {
    EXPECT_TRUE(std::isnan(Column<double>(*result, name, 0))) << name;
  }
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kTooFewObservations));
}

TEST(StatsTest, ScaledGivesPhysicalUnits) {
  const TestBlock<int16_t> block({{{10, 20}}});
  FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1});
  inputs.series[0].scale_factor = -0.5;
  inputs.series[0].add_offset = 100;
  inputs.series[0].units = "K";
  const auto scaled =
      RunOn(*MakeStatsFunction(), {{"scaled", "true"}}, inputs, block.block());
  ASSERT_TRUE(scaled.ok()) << scaled.status();
  EXPECT_EQ(Column<double>(*scaled, "mean", 0), 92.5);
  EXPECT_EQ(Column<double>(*scaled, "min", 0), 90);
  EXPECT_EQ(Column<double>(*scaled, "max", 0), 95);
  EXPECT_EQ(Column<double>(*scaled, "std", 0), 2.5);
  const auto units = [](const core::BlockResult& result) {
    return core::TextAttribute(result.records().schema().fields()[1].attributes,
                               "units");
  };
  EXPECT_EQ(units(*scaled), "K");
  const auto packed = RunOn(*MakeStatsFunction(), {}, inputs, block.block());
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(Column<double>(*packed, "mean", 0), 15);
  EXPECT_EQ(units(*packed), "");
}

TEST(StatsTest, RefusesMoreNumbersThanItCanCount) {
  FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1});
  inputs.count = int64_t{1} << 31;
  const TestBlock<int16_t> block({{{10, 20}}});
  EXPECT_EQ(
      RunOn(*MakeStatsFunction(), {}, inputs, block.block()).status().message(),
      "a pixel has 2147483648 numbers per band; at most 2147483647 can "
      "be counted");
}

}  // namespace
}  // namespace internode::functions
