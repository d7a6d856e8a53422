#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "functions/builtins.h"
#include "functions/harmonic_design.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using core::PixelStatus;
using ::testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The terms of the documented formula at day `t`.
std::vector<long double> Terms(double t, size_t terms) {
  std::vector<long double> row = {1, t};
  const long double w = 2 * std::acos(-1.0L) / 365.2425L;
  for (size_t k = 1; row.size() < terms; ++k) {
    row.push_back(std::cos(static_cast<long double>(k) * w * t));
    row.push_back(std::sin(static_cast<long double>(k) * w * t));
  }
  return row;
}

// Another method than the function's: the normal equations of the raw design,
// by Gauss and Jordan with pivoting, in long double.
std::vector<double> Reference(const std::vector<double>& days,
                              const std::vector<double>& values, size_t terms) {
  std::vector<std::vector<long double>> m(
      terms, std::vector<long double>(terms + 1, 0));
  for (size_t i = 0; i < days.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const std::vector<long double> row = Terms(days[i], terms);
    for (size_t a = 0; a < terms; ++a) {
      for (size_t b = 0; b < terms; ++b) m[a][b] += row[a] * row[b];
      m[a][terms] += row[a] * values[i];
    }
  }
  for (size_t c = 0; c < terms; ++c) {
    size_t pivot = c;
    for (size_t r = c; r < terms; ++r) {
      if (std::abs(m[r][c]) > std::abs(m[pivot][c])) pivot = r;
    }
    std::swap(m[c], m[pivot]);
    for (size_t r = 0; r < terms; ++r) {
      if (r == c) continue;
      const long double f = m[r][c] / m[c][c];
      for (size_t k = c; k <= terms; ++k) m[r][k] -= f * m[c][k];
    }
  }
  std::vector<double> coefs;
  for (size_t c = 0; c < terms; ++c) {
    coefs.push_back(static_cast<double>(m[c][terms] / m[c][c]));
  }
  return coefs;
}

double ReferenceRmse(const std::vector<double>& days,
                     const std::vector<double>& values,
                     const std::vector<double>& coefs) {
  long double sum = 0;
  int n = 0;
  for (size_t i = 0; i < days.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const std::vector<long double> row = Terms(days[i], coefs.size());
    long double fit = 0;
    for (size_t c = 0; c < coefs.size(); ++c) fit += row[c] * coefs[c];
    sum += (values[i] - fit) * (values[i] - fit);
    ++n;
  }
  return static_cast<double>(std::sqrt(sum / n));
}

// Uneven, unsorted dates over some 30 years; a seasonal series with noise and
// gaps.
struct RandomSeries {
  explicit RandomSeries(unsigned seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> day(4000, 15000);
    std::normal_distribution<double> noise(0, 200);
    std::uniform_int_distribution<int> gap(0, 4);
    for (int i = 0; i < 300; ++i) {
      const double t = std::floor(day(random));
      days.push_back(t);
      values.push_back(gap(random) == 0
                           ? kNaN
                           : 3000 + 0.05 * t + 900 * std::cos(0.0172 * t) +
                                 noise(random));
    }
  }
  std::vector<double> days;
  std::vector<double> values;
};

TEST(HarmonicTest, SolvesTheNormalEquations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const RandomSeries series(seed);
    const TestBlock<double> block({{series.values}});
    const FunctionInputs inputs =
        TestInputs({{"bands", "nir"}}, core::DataType::kFloat64, series.days);
    for (int harmonics = 0; harmonics <= 3; ++harmonics) {
      const auto result = RunOn(*MakeHarmonicFunction(),
                                {{"harmonics", std::to_string(harmonics)}},
                                inputs, block.block());
      ASSERT_TRUE(result.ok()) << result.status();
      const size_t terms = 2 + 2 * static_cast<size_t>(harmonics);
      const std::vector<double> expected =
          Reference(series.days, series.values, terms);
      for (size_t c = 0; c < terms; ++c) {
        const auto coef =
            Column<double>(*result, "coefs", 0, static_cast<int64_t>(c));
        EXPECT_NEAR(coef, expected[c], 1e-8 * std::abs(expected[c]))
            << "seed " << seed << ", coefficient " << c;
      }
      const double rmse = ReferenceRmse(series.days, series.values, expected);
      EXPECT_NEAR(Column<double>(*result, "rmse", 0), rmse, 1e-8 * rmse);
    }
  }
}

TEST(HarmonicTest, RecoversAnExactSeries) {
  const double w = 2 * std::acos(-1.0) / 365.2425;
  std::vector<double> days;
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) {
    const double t = 10000 + 16.0 * i;
    days.push_back(t);
    values.push_back(100 + 0.5 * t + 10 * std::cos(w * t) -
                     20 * std::sin(w * t) + 3 * std::cos(2 * w * t) +
                     4 * std::sin(3 * w * t));
  }
  const TestBlock<double> block({{values}});
  const auto result =
      RunOn(*MakeHarmonicFunction(), {},
            TestInputs({{"bands", "nir"}}, core::DataType::kFloat64, days),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<double> expected = {100, 0.5, 10, -20, 3, 0, 0, 4};
  for (size_t c = 0; c < expected.size(); ++c) {
    EXPECT_NEAR(Column<double>(*result, "coefs", 0, static_cast<int64_t>(c)),
                expected[c], 1e-8);
  }
  EXPECT_NEAR(Column<double>(*result, "rmse", 0), 0, 1e-8);
  EXPECT_EQ(Column<int32_t>(*result, "t_start", 0), 10000);
  EXPECT_EQ(Column<int32_t>(*result, "t_end", 0), 10000 + 16 * 199);
}

TEST(HarmonicTest, HasLabelledColumns) {
  const TestBlock<int16_t> block({{{1, 2}, {3, 4}}});
  const auto result = RunOn(*MakeHarmonicFunction(), {{"harmonics", "1"}},
                            TestInputs({{"bands", "red"}, {"bands", "nir"}},
                                       core::DataType::kInt16, {0, 1}),
                            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  const core::RecordSchema& schema = result->records().schema();
  EXPECT_EQ(schema.NumpyDescr(),
            "[('t_start', '<i4'), ('t_end', '<i4'), ('n_obs', '<i4', (2,)), "
            "('coefs', '<f8', (2, 4)), ('rmse', '<f8', (2,))]");
  EXPECT_THAT(schema.dims()[0].labels, ElementsAre("red", "nir"));
  EXPECT_THAT(schema.dims()[1].labels,
              ElementsAre("intercept", "slope", "cos1", "sin1"));
}

// Line 2 t + 1 over four dates, one of which is not an observation.
TEST(HarmonicTest, QualityCodesSelectObservations) {
  const TestBlock<int16_t> block(
      {{{1, 3, 999, 7}, {0, 1, 4, 0}}, {{1, 3, 5, 999}, {1, 0, 0, 255}}});
  const auto result = RunOn(*MakeHarmonicFunction(), {{"harmonics", "0"}},
                            TestInputs({{"bands", "nir"}, {"qa", "cfmask"}},
                                       core::DataType::kInt16, {0, 1, 2, 3}),
                            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  for (int64_t p = 0; p < 2; ++p) {
    EXPECT_EQ(Column<int32_t>(*result, "n_obs", p), 3);
    EXPECT_NEAR(Column<double>(*result, "coefs", p, 0), 1, 1e-12);
    EXPECT_NEAR(Column<double>(*result, "coefs", p, 1), 2, 1e-12);
  }
  EXPECT_EQ(Column<int32_t>(*result, "t_end", 0), 3);
  EXPECT_EQ(Column<int32_t>(*result, "t_end", 1), 2);
}

TEST(HarmonicTest, QualityBitsSelectObservations) {
  const TestBlock<int16_t> block({{{1, 3, 999, 7}, {66, 68, 64, 66}}});
  const FunctionInputs inputs =
      TestInputs({{"bands", "nir"}, {"qa", "anything"}}, core::DataType::kInt16,
                 {0, 1, 2, 3});
  const auto result =
      RunOn(*MakeHarmonicFunction(),
            {{"harmonics", "0"}, {"clear_bits", "1,2"}}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0), 3);
  EXPECT_NEAR(Column<double>(*result, "coefs", 0, 1), 2, 1e-12);
}

TEST(HarmonicTest, BandsWithOtherGapsAreFittedByThemselves) {
  const TestBlock<float> block(
      {{{1, 3, std::nanf(""), 7}, {5, 5, 5, 5}, {1, 3, std::nanf(""), 9}}});
  const auto result =
      RunOn(*MakeHarmonicFunction(), {{"harmonics", "0"}},
            TestInputs({{"bands", "a"}, {"bands", "b"}, {"bands", "c"}},
                       core::DataType::kFloat32, {0, 1, 2, 3}),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 0), 3);
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 1), 4);
  EXPECT_NEAR(Column<double>(*result, "coefs", 0, 1), 2, 1e-12);
  EXPECT_NEAR(Column<double>(*result, "coefs", 0, 2), 5, 1e-12);
  EXPECT_NEAR(Column<double>(*result, "coefs", 0, 3), 0, 1e-12);
  EXPECT_EQ(result->statuses()[0], PixelStatus::kOk);
}

TEST(HarmonicTest, TooFewObservationsLeaveNaN) {
  const TestBlock<float> block(
      {{{1, 2, std::nanf(""), std::nanf("")}, {1, 2, 3, std::nanf("")}}});
  const FunctionInputs inputs =
      TestInputs({{"bands", "a"}, {"bands", "b"}}, core::DataType::kFloat32,
                 {0, 100, 200, 300});
  const auto result = RunOn(*MakeHarmonicFunction(), {{"harmonics", "1"}},
                            inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kTooFewObservations));
  EXPECT_EQ(result->records().num_records(), 1);
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 0), 2);
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0, 1), 3);
  EXPECT_TRUE(std::isnan(Column<double>(*result, "coefs", 0, 0)));
  EXPECT_TRUE(std::isnan(Column<double>(*result, "rmse", 0, 0)));
  EXPECT_EQ(Column<int32_t>(*result, "t_start", 0),
            std::numeric_limits<int32_t>::min());
}

TEST(HarmonicTest, DatesThatDoNotDetermineTheFitLeaveNaN) {
  const TestBlock<float> block({{{1, 2, 3}}});
  const auto result =
      RunOn(*MakeHarmonicFunction(), {{"harmonics", "0"}},
            TestInputs({{"bands", "a"}}, core::DataType::kFloat32, {7, 7, 7}),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kTooFewObservations));
  EXPECT_EQ(Column<int32_t>(*result, "n_obs", 0), 3);
  EXPECT_TRUE(std::isnan(Column<double>(*result, "coefs", 0, 0)));
}

TEST(HarmonicTest, HandlesASeriesWithoutDates) {
  const TestBlock<float> block({{{}}, {{}}});
  const auto result =
      RunOn(*MakeHarmonicFunction(), {},
            TestInputs({{"bands", "a"}}, core::DataType::kFloat32, {}),
            block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kTooFewObservations,
                          PixelStatus::kTooFewObservations));
}

TEST(HarmonicTest, ScaledGivesPhysicalUnits) {
  const TestBlock<int16_t> block({{{10, 20, 40}}});
  FunctionInputs inputs =
      TestInputs({{"bands", "bt"}}, core::DataType::kInt16, {0, 1, 2});
  inputs.series[0].scale_factor = -0.1;
  inputs.series[0].add_offset = 273;
  const auto packed = RunOn(*MakeHarmonicFunction(), {{"harmonics", "0"}},
                            inputs, block.block());
  const auto scaled =
      RunOn(*MakeHarmonicFunction(), {{"harmonics", "0"}, {"scaled", "true"}},
            inputs, block.block());
  ASSERT_TRUE(packed.ok() && scaled.ok());
  EXPECT_NEAR(Column<double>(*scaled, "coefs", 0, 0),
              273 - 0.1 * Column<double>(*packed, "coefs", 0, 0), 1e-12);
  EXPECT_NEAR(Column<double>(*scaled, "coefs", 0, 1),
              -0.1 * Column<double>(*packed, "coefs", 0, 1), 1e-12);
  EXPECT_NEAR(Column<double>(*scaled, "rmse", 0),
              0.1 * Column<double>(*packed, "rmse", 0), 1e-12);
}

absl::Status PrepareStatus(
    const std::vector<std::pair<std::string, std::string>>& parameters,
    const FunctionInputs& inputs) {
  const TestBlock<int16_t> block({{{1, 2}, {0, 0}}});
  return RunOn(*MakeHarmonicFunction(), parameters, inputs, block.block())
      .status();
}

TEST(HarmonicTest, RefusesParametersThatDoNotFit) {
  const FunctionInputs with_qa = TestInputs({{"bands", "a"}, {"qa", "qa"}},
                                            core::DataType::kInt16, {0, 1});
  const FunctionInputs without_qa =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1});
  EXPECT_EQ(PrepareStatus({{"harmonics", "4"}}, with_qa).message(),
            "parameter 'harmonics' is 4; it must be from 0 to 3");
  EXPECT_EQ(
      PrepareStatus({{"clear", "0"}, {"clear_bits", "1"}}, with_qa).message(),
      "parameters 'clear' and 'clear_bits' are both given; give one");
  EXPECT_EQ(PrepareStatus({{"clear_bits", "1"}}, without_qa).message(),
            "parameter 'clear_bits' is given, but no variable for the role "
            "'qa'; name one with --variables qa=NAME");
  EXPECT_EQ(PrepareStatus({{"clear_bits", "1.5"}}, with_qa).message(),
            "parameter 'clear_bits' has 1.5, which is no bit's number");
  FunctionInputs no_date = with_qa;
  no_date.days[1] = kNaN;
  EXPECT_EQ(PrepareStatus({}, no_date).message(),
            "a date of the time axis is not a number");
}

TEST(HarmonicTest, SaysWhichCodesItChose) {
  const FunctionInputs inputs = TestInputs({{"bands", "a"}, {"qa", "cfmask"}},
                                           core::DataType::kInt16, {0, 1});
  const auto function = MakeHarmonicFunction();
  const auto parameters = Parameters::Parse(function->info().parameters, {});
  ASSERT_TRUE(parameters.ok());
  const auto prepared = function->Prepare(*parameters, inputs);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT((*prepared)->notes(),
              ElementsAre("clear: codes 0, 1 of cfmask (--param clear=CODES or "
                          "clear_bits=BITS for others)"));
  EXPECT_EQ(core::TextAttribute((*prepared)->attributes(), "time_origin"),
            "1970-01-01");
}

}  // namespace
}  // namespace internode::functions
