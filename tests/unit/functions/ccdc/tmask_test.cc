#include "functions/ccdc/tmask.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace internode::functions::ccdc {
namespace {

Model WithTmaskBands(std::vector<int> tmask_bands) {
  Parameters p;
  p.bands.resize(3);
  p.detection_bands = {0};
  p.tmask_bands = std::move(tmask_bands);
  return Model::Make(p).value();
}

struct TmaskCase {
  TmaskCase(const Model& made, const std::vector<int32_t>& days,
            const std::vector<std::vector<double>>& bands)
      : model(made), dates(DateTable::Make(made, days).value()) {
    series.Reset(model, dates);
    for (int i = 0; i < dates.size(); ++i) {
      for (size_t b = 0; b < bands.size(); ++b) {
        series.candidate_rows()[i].v[b] = bands[b][static_cast<size_t>(i)];
      }
      series.Keep(i, i, dates.days()[i]);
    }
    series.SubtractOrigin(0);
  }
  int Find(double variogram) {
    for (double& v : limits.v) v = variogram;
    return FindOutliers(model, dates, series, &limits, 0, series.size(), space);
  }

  const Model& model;
  DateTable dates;
  Series series;
  TmaskSpace space;
  Row limits = {};
};

TEST(TmaskTest, FindsTheOutliersOfTheReference) {
  const std::string name = "ccdc-golden/dev/units.h5";
  INTERNODE_NEEDS_SHARED_DATA(name);
  const std::string path = internode::testing::SharedDataPath(name);
  const auto offset = testing::ReadNumbers(path, "tmask/offset");
  const auto ordinals = testing::ReadNumbers(path, "tmask/dates");
  const auto values = testing::ReadNumbers(path, "tmask/green_swir1");
  const auto variogram = testing::ReadNumbers(path, "tmask/variogram");
  const auto expected = testing::ReadNumbers(path, "tmask/outlier");
  const auto deficient = testing::ReadNumbers(path, "tmask/rank_deficient");
  const auto zero = testing::ReadNumbers(path, "tmask/zero_variogram");
  const Model model = WithTmaskBands({0, 1});
  int judged = 0;
  for (size_t t = 0; t + 1 < offset.size(); ++t) {
    if (deficient[t] != 0 || zero[t] != 0) continue;
    ++judged;
    const auto begin = static_cast<size_t>(offset[t]);
    const auto end = static_cast<size_t>(offset[t + 1]);
    std::vector<int32_t> days;
    std::vector<std::vector<double>> bands(2);
    for (size_t i = begin; i < end; ++i) {
      days.push_back(static_cast<int32_t>(ordinals[i]) - kOrdinalOf1970);
      bands[0].push_back(values[i]);
      bands[1].push_back(values[ordinals.size() + i]);
    }
    TmaskCase one(model, days, bands);
    Row limits = {};
    limits.v[0] = variogram[2 * t];
    limits.v[1] = variogram[2 * t + 1];
    FindOutliers(model, one.dates, one.series, &limits, 0, one.series.size(),
                 one.space);
    for (size_t i = begin; i < end; ++i) {
      EXPECT_EQ(one.space.outlier[i - begin], expected[i])
          << "call " << t << ", observation " << i - begin;
    }
  }
  EXPECT_GT(judged, 500);
}

std::vector<double> Seasonal(const std::vector<int32_t>& days) {
  std::vector<double> y;
  for (size_t i = 0; i < days.size(); ++i) {
    y.push_back(1000 + 200 * std::cos(days[i] * 0.0172) +
                5.0 * static_cast<double>((i * 7) % 5));
  }
  return y;
}

std::vector<int32_t> Every16Days(int n) {
  std::vector<int32_t> days;
  for (int i = 0; i < n; ++i) days.push_back(10000 + 16 * i);
  return days;
}

TEST(TmaskTest, FindsASpikeInAnyNumberOfBands) {
  const auto days = Every16Days(30);
  for (const auto& tmask_bands :
       std::vector<std::vector<int>>{{0}, {2}, {0, 2}, {0, 1, 2}}) {
    const Model model = WithTmaskBands(tmask_bands);
    std::vector<std::vector<double>> bands(3, Seasonal(days));
    bands[static_cast<size_t>(tmask_bands.back())][11] += 900;
    TmaskCase one(model, days, bands);
    EXPECT_EQ(one.Find(40), 1) << tmask_bands.size() << " bands";
    EXPECT_EQ(one.space.outlier[11], 1);
  }
}

TEST(TmaskTest, FindsASpikeInWindowsOfAnySize) {
  const Model model = WithTmaskBands({0, 1});
  for (const int n : {12, 13, 16, 17, 40, 41, 64, 65, 127, 128, 129, 300}) {
    const auto days = Every16Days(n);
    std::vector<std::vector<double>> bands(3, Seasonal(days));
    bands[1][6] += 900;
    TmaskCase one(model, days, bands);
    EXPECT_EQ(one.Find(40), 1) << n;
    EXPECT_EQ(one.space.outlier[6], 1) << n;
  }
}

// Residuals that single precision cannot tell apart.
TEST(TmaskTest, TellsEqualResidualsApart) {
  const auto days = Every16Days(40);
  const Model model = WithTmaskBands({0, 1});
  std::vector<std::vector<double>> bands(3, std::vector<double>(40, 1000));
  for (size_t i = 0; i < 40; ++i) bands[0][i] += i % 2 == 0 ? 5 : -5;
  bands[0][9] += 500;
  TmaskCase one(model, days, bands);
  EXPECT_EQ(one.Find(20), 1);
  EXPECT_EQ(one.space.outlier[9], 1);
}

TEST(TmaskTest, FindsNothingWithoutBands) {
  const auto days = Every16Days(30);
  const Model model = WithTmaskBands({});
  TmaskCase one(model, days, {3, std::vector<double>(30, 5)});
  EXPECT_EQ(one.Find(0), 0);
}

TEST(TmaskTest, HasADefinedAnswerInAWindowOfExactlyOneYear) {
  std::vector<int32_t> days;
  for (int i = 0; i <= 73; ++i) days.push_back(10000 + 5 * i);
  std::vector<std::vector<double>> bands(3, Seasonal(days));
  bands[1][40] = 4000;
  const Model model = WithTmaskBands({0, 1});
  TmaskCase one(model, days, bands);
  ASSERT_EQ(days.back() - days.front(), 365);
  EXPECT_EQ(one.Find(40), 1);
  EXPECT_EQ(one.space.outlier[40], 1);
}

TEST(TmaskTest, KeepsAConstantBand) {
  const auto days = Every16Days(25);
  const Model model = WithTmaskBands({0, 1});
  TmaskCase one(model, days, {3, std::vector<double>(25, 777)});
  EXPECT_EQ(one.Find(10), 0);
}

}  // namespace
}  // namespace internode::functions::ccdc
