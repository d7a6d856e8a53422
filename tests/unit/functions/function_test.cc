#include "functions/function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "functions/observations.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(InputSeriesTest, ObservationsAreFinitePresentAndInRange) {
  InputSeries series;
  EXPECT_TRUE(series.IsValid(-1e300));
  EXPECT_FALSE(series.IsValid(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(series.IsValid(std::numeric_limits<double>::infinity()));
  series.missing = {-9999, 0};
  EXPECT_FALSE(series.IsValid(-9999));
  EXPECT_FALSE(series.IsValid(0));
  EXPECT_TRUE(series.IsValid(1));
  series.valid_min = 1;
  series.valid_max = 10;
  EXPECT_TRUE(series.IsValid(1));
  EXPECT_TRUE(series.IsValid(10));
  EXPECT_FALSE(series.IsValid(0.5));
  EXPECT_FALSE(series.IsValid(10.5));
}

TEST(FunctionInputsTest, FindsSeriesByRole) {
  const FunctionInputs inputs =
      TestInputs({{"bands", "a"}, {"bands", "b"}, {"qa", "c"}},
                 core::DataType::kInt16, {0});
  EXPECT_THAT(inputs.WithRole("bands"), ElementsAre(0, 1));
  EXPECT_THAT(inputs.WithRole("qa"), ElementsAre(2));
  EXPECT_THAT(inputs.WithRole("nir"), IsEmpty());
}

TEST(ObservationReaderTest, AgreesWithIsValid) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> value(-20, 20);
  std::vector<float> values;
  for (int i = 0; i < 500; ++i) {
    values.push_back(static_cast<float>(value(random)));
  }
  values[3] = std::numeric_limits<float>::quiet_NaN();
  values[4] = -std::numeric_limits<float>::infinity();
  const TestBlock<float> block({{values}});
  FunctionInputs inputs = TestInputs({{"bands", "a"}}, core::DataType::kFloat32,
                                     std::vector<double>(500, 0));
  inputs.series[0].missing = {3, -7, std::numeric_limits<double>::quiet_NaN()};
  inputs.series[0].valid_min = -15;
  inputs.series[0].valid_max = 12;
  std::vector<double> read(500);
  std::vector<uint8_t> valid(500);
  ObservationReader(inputs, 0).Read(block.block(), 0, absl::MakeSpan(read),
                                    absl::MakeSpan(valid));
  for (size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(valid[i] != 0, inputs.series[0].IsValid(values[i])) << values[i];
    if (valid[i] == 0) continue;
    EXPECT_EQ(read[i], values[i]);
  }
}

}  // namespace
}  // namespace internode::functions
