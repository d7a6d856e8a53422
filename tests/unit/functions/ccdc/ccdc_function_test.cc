#include "functions/ccdc/ccdc_function.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "functions/ccdc/detect.h"
#include "functions/registry.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::vector<std::pair<std::string, std::string>> kLandsat = {
    {"blue", "blue"},  {"green", "green"}, {"red", "red"},
    {"nir", "nir"},    {"swir1", "swir1"}, {"swir2", "swir2"},
    {"thermal", "bt"}, {"qa", "cfmask"}};

std::vector<double> Every16Days(int n) {
  std::vector<double> days;
  for (int i = 0; i < n; ++i) days.push_back(10000.5 + 16 * i);
  return days;
}

// Two bands and cfmask, with a step at observation `at`, none if it is 0.
std::vector<std::vector<int16_t>> TwoBands(int n, int at) {
  std::vector<std::vector<int16_t>> series(3);
  for (int i = 0; i < n; ++i) {
    const double y = 1500 + 300 * std::cos(16 * i * 0.0172) + (i * 37) % 50 +
                     (at > 0 && i >= at ? 800 : 0);
    series[0].push_back(static_cast<int16_t>(y));
    series[1].push_back(static_cast<int16_t>(y + 500));
    series[2].push_back(0);
  }
  return series;
}

absl::Status PrepareStatus(
    const std::vector<std::pair<std::string, std::string>>& parameters,
    const FunctionInputs& inputs) {
  const auto function = MakeCcdcFunction();
  const auto parsed =
      Parameters::Parse(function->info().parameters, parameters);
  if (!parsed.ok()) return parsed.status();
  return function->Prepare(*parsed, inputs).status();
}

TEST(CcdcFunctionTest, IsABuiltinWithSoundDeclarations) {
  EXPECT_TRUE(Registry::WithBuiltins().Find("ccdc").ok());
  Registry registry;
  EXPECT_TRUE(registry.Add(MakeCcdcFunction()).ok());
}

TEST(CcdcFunctionTest, WritesTheColumnsOfSegmentFiles) {
  const FunctionInputs inputs =
      TestInputs({{"red", "red"}, {"nir", "nir"}, {"qa", "cfmask"}},
                 core::DataType::kInt16, Every16Days(200));
  const TestBlock<int16_t> block({TwoBands(200, 100), TwoBands(200, 0)});
  const auto result = RunOn(*MakeCcdcFunction(), {}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->records().schema().NumpyDescr(),
            "[('t_start', '<i4'), ('t_end', '<i4'), ('t_break', '<i4'), "
            "('n_obs', '<i4'), ('change_prob', '<f4'), ('category', '<i2'), "
            "('coefs', '<f4', (2, 8)), ('rmse', '<f4', (2,)), "
            "('magnitude', '<f4', (2,))]");
  EXPECT_THAT(result->record_counts(), ::testing::ElementsAre(2u, 1u));
  EXPECT_EQ(Column<int32_t>(*result, "t_start", 0), 10000);
  EXPECT_EQ(Column<int32_t>(*result, "t_break", 0), 10000 + 16 * 100);
  EXPECT_EQ(Column<float>(*result, "change_prob", 0), 1);
  EXPECT_EQ(Column<int16_t>(*result, "category", 0), 8);
  EXPECT_NEAR(Column<float>(*result, "magnitude", 0), 800, 100);
  EXPECT_EQ(Column<int32_t>(*result, "t_break", 1),
            std::numeric_limits<int32_t>::min())
      << "no change was confirmed";
  // The curve, in days since 1970-01-01 in every term.
  const double w = 2 * std::acos(-1.0) / 365.2425;
  const double t = 10000 + 16 * 50;
  double fit = Column<float>(*result, "coefs", 0, 0) +
               Column<float>(*result, "coefs", 0, 1) * t;
  for (int k = 1; k <= 3; ++k) {
    fit += Column<float>(*result, "coefs", 0, 2 * k) * std::cos(k * w * t) +
           Column<float>(*result, "coefs", 0, 2 * k + 1) * std::sin(k * w * t);
  }
  EXPECT_NEAR(fit, TwoBands(200, 100)[0][50], 60);
}

TEST(CcdcFunctionTest, ReportsStatusPerPixel) {
  const FunctionInputs inputs =
      TestInputs({{"red", "red"}, {"nir", "nir"}, {"qa", "pixel_qa"}},
                 core::DataType::kInt16, Every16Days(60));
  auto good = TwoBands(60, 0);
  good[2].assign(60, 2);
  auto cloudy = good;
  cloudy[2].assign(60, 32);
  auto bad = good;
  bad[2][7] = 64;
  const TestBlock<int16_t> block({good, cloudy, bad, good});
  const auto result = RunOn(*MakeCcdcFunction(), {}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->statuses(),
              ::testing::ElementsAre(core::PixelStatus::kOk,
                                     core::PixelStatus::kTooFewObservations,
                                     core::PixelStatus::kFailed,
                                     core::PixelStatus::kOk));
  ASSERT_EQ(result->failures().size(), 1u);
  EXPECT_THAT(result->failures()[0].message, HasSubstr("quality code 64"));
}

TEST(CcdcFunctionTest, SaysWhatItChose) {
  const auto function = MakeCcdcFunction();
  FunctionInputs inputs = TestInputs(
      {{"green", "SR_B3"}, {"thermal", "ST_B10"}, {"qa", "QA_PIXEL"}},
      core::DataType::kUInt16, Every16Days(30));
  inputs.series[0].scale_factor = 2.75e-5f;
  inputs.series[0].add_offset = -0.2f;
  const auto parsed =
      Parameters::Parse(function->info().parameters, {}).value();
  const auto prepared = function->Prepare(parsed, inputs);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const auto notes = (*prepared)->notes();
  EXPECT_THAT(notes, Contains("detection_bands: SR_B3"));
  EXPECT_THAT(notes, Contains("tmask_bands: SR_B3"));
  EXPECT_THAT(notes, Contains("qa_encoding: landsat_c2, by the name QA_PIXEL"));
  EXPECT_THAT(notes, Contains(HasSubstr("SR_B3: multiplied by 0.275")));
}

TEST(CcdcFunctionTest, TakesTheNamesOfOtherImplementations) {
  const FunctionInputs inputs =
      TestInputs(kLandsat, core::DataType::kInt16, Every16Days(30));
  EXPECT_TRUE(PrepareStatus({{"minObservations", "4"},
                             {"chiSquareProbability", "0.95"},
                             {"lambda", "20"},
                             {"maxIterations", "25000"},
                             {"minNumOfYearsScaler", "1.5"},
                             {"breakpointBands", "green,swir1"},
                             {"tmaskBands", "green"},
                             {"MEOW_SIZE", "15"},
                             {"T_CONST", "4"}},
                            inputs)
                  .ok());
}

TEST(CcdcFunctionTest, NamesWhatIsWrong) {
  const FunctionInputs landsat =
      TestInputs(kLandsat, core::DataType::kInt16, Every16Days(30));
  const auto message =
      [&landsat](
          const std::vector<std::pair<std::string, std::string>>& given) {
        return std::string(PrepareStatus(given, landsat).message());
      };
  EXPECT_THAT(message({{"detection_bands", "gren"}}), HasSubstr("'green'"));
  EXPECT_THAT(message({{"scale", "1,2"}}), HasSubstr("2 numbers"));
  EXPECT_THAT(message({{"max_coefficients", "5"}}), HasSubstr("4, 6 or 8"));
  EXPECT_THAT(message({{"qa_clear", "0.5"}}), HasSubstr("whole numbers"));
  EXPECT_THAT(message({{"peek_size", "1"}}), HasSubstr("peek_size"));
  EXPECT_THAT(message({{"lamda", "1"}}), HasSubstr("lambda"));
  const FunctionInputs no_bands =
      TestInputs({{"qa", "cfmask"}}, core::DataType::kInt16, Every16Days(30));
  EXPECT_THAT(std::string(PrepareStatus({}, no_bands).message()),
              HasSubstr("no bands"));
  const FunctionInputs no_qa =
      TestInputs({{"red", "red"}}, core::DataType::kInt16, Every16Days(30));
  EXPECT_THAT(
      std::string(PrepareStatus({{"qa_encoding", "cfmask"}}, no_qa).message()),
      HasSubstr("--variables qa=NAME"));
  // Landsat 7's bands, as the names of Landsat 8 would take them.
  const FunctionInputs old_landsat =
      TestInputs({{"blue", "SR_B2"},
                  {"green", "SR_B3"},
                  {"red", "SR_B4"},
                  {"nir", "SR_B5"},
                  {"swir2", "SR_B7"}},
                 core::DataType::kInt16, Every16Days(30));
  EXPECT_THAT(std::string(PrepareStatus({}, old_landsat).message()),
              HasSubstr("swir1=SR_B5,swir2=SR_B7"));
  FunctionInputs bad_days = no_qa;
  bad_days.days[3] = std::nan("");
  EXPECT_THAT(std::string(PrepareStatus({}, bad_days).message()),
              HasSubstr("date of the time axis"));
  FunctionInputs float_qa = landsat;
  float_qa.series.back().type = core::DataType::kFloat32;
  EXPECT_THAT(std::string(PrepareStatus({}, float_qa).message()),
              HasSubstr("codes are integers"));
}

TEST(CcdcFunctionTest, EqualsTheReferenceOnRealPixels) {
  const std::string name = "ccdc-golden/dev/real.h5";
  INTERNODE_NEEDS_SHARED_DATA(name);
  int segments = 0;
  for (const auto& pixel :
       ccdc::testing::ReadGolden(internode::testing::SharedDataPath(name))) {
    std::vector<std::vector<int16_t>> series;
    const size_t n = pixel.ordinals.size();
    for (size_t b = 0; b < 7; ++b) {
      series.emplace_back(
          pixel.spectra.begin() + static_cast<ptrdiff_t>(b * n),
          pixel.spectra.begin() + static_cast<ptrdiff_t>((b + 1) * n));
    }
    series.emplace_back(pixel.qa.begin(), pixel.qa.end());
    const auto days = pixel.Days();
    const FunctionInputs inputs =
        TestInputs(kLandsat, core::DataType::kInt16,
                   std::vector<double>(days.begin(), days.end()));
    const TestBlock<int16_t> block({series});
    const auto result =
        RunOn(*MakeCcdcFunction(),
              {{"qa_encoding", pixel.bitpacked ? "landsat_ard" : "cfmask"}},
              inputs, block.block());
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->records().num_records(),
              static_cast<int64_t>(pixel.segments.size()))
        << pixel.name;
    for (size_t s = 0; s < pixel.segments.size(); ++s) {
      const auto i = static_cast<int64_t>(s);
      const auto& want = pixel.segments[s];
      ++segments;
      EXPECT_EQ(Column<int32_t>(*result, "t_start", i),
                want.start_day - ccdc::kOrdinalOf1970);
      EXPECT_EQ(Column<int32_t>(*result, "t_end", i),
                want.end_day - ccdc::kOrdinalOf1970);
      EXPECT_EQ(Column<int32_t>(*result, "t_break", i),
                want.change_probability == 1
                    ? want.break_day - ccdc::kOrdinalOf1970
                    : std::numeric_limits<int32_t>::min());
      EXPECT_EQ(Column<int16_t>(*result, "category", i), want.curve_qa);
      EXPECT_EQ(Column<float>(*result, "rmse", i, 3),
                static_cast<float>(want.rmse[3]));
    }
  }
  EXPECT_GT(segments, 20);
}

}  // namespace
}  // namespace internode::functions
