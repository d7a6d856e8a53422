// The small parts: quality codes, model, dates, orders, medians, madogram,
// seasons, filters.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/filters.h"
#include "functions/ccdc/harmonics.h"
#include "functions/ccdc/median.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/numpy_order.h"
#include "functions/ccdc/qa.h"
#include "functions/ccdc/season.h"
#include "functions/ccdc/variogram.h"

namespace internode::functions::ccdc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Parameters SevenBands() {
  Parameters p;
  p.bands.resize(7);
  p.bands[6].valid_min = kThermalValidMin;
  p.bands[6].valid_max = kThermalValidMax;
  p.detection_bands = {1, 2, 3, 4, 5};
  p.tmask_bands = {1, 4};
  p.thermal_band = 6;
  p.green_band = 1;
  return p;
}

TEST(QaTest, ReadsCfmask) {
  const QaClassifier qa(QaEncoding::kCfmask, {}, Compat::kPyccd);
  EXPECT_EQ(qa.Classify(0), QaClass::kClear);
  EXPECT_EQ(qa.Classify(1), QaClass::kWater);
  EXPECT_EQ(qa.Classify(2), QaClass::kShadow);
  EXPECT_EQ(qa.Classify(3), QaClass::kSnow);
  EXPECT_EQ(qa.Classify(4), QaClass::kCloud);
  EXPECT_EQ(qa.Classify(255), QaClass::kFill);
  EXPECT_EQ(qa.Classify(9), QaClass::kOther);
  EXPECT_EQ(qa.Classify(-1), QaClass::kOther);
  EXPECT_EQ(qa.Classify(int64_t{1} << 40), QaClass::kOther);
}

TEST(QaTest, TakesOtherCodes) {
  QaValues scl;
  scl.clear = {4, 5};
  scl.fill = {0, -1};
  const QaClassifier qa(QaEncoding::kCfmask, scl, Compat::kPyccd);
  EXPECT_EQ(qa.Classify(5), QaClass::kClear);
  EXPECT_EQ(qa.Classify(0), QaClass::kFill);
  EXPECT_EQ(qa.Classify(-1), QaClass::kFill);
}

TEST(QaTest, TakesTheFirstLandsatArdBitThatApplies) {
  const QaClassifier qa(QaEncoding::kLandsatArd, {}, Compat::kPyccd);
  EXPECT_EQ(qa.Classify(0b100011), QaClass::kFill);
  EXPECT_EQ(qa.Classify(0b111110), QaClass::kCloud);
  EXPECT_EQ(qa.Classify(0b011110), QaClass::kShadow);
  EXPECT_EQ(qa.Classify(0b010110), QaClass::kSnow);
  EXPECT_EQ(qa.Classify(0b000110), QaClass::kWater);
  EXPECT_EQ(qa.Classify(0b000010), QaClass::kClear);
  EXPECT_EQ(qa.Classify(256 + 512), QaClass::kClear);
  EXPECT_EQ(qa.Classify(1024), QaClass::kClear);
  for (const int64_t code : {0, 64, 256, 512}) {
    EXPECT_EQ(qa.Classify(code), QaClass::kUnsupported) << code;
  }
  const QaClassifier sound(QaEncoding::kLandsatArd, {}, Compat::kNone);
  EXPECT_EQ(sound.Classify(64), QaClass::kOther);
}

TEST(QaTest, ReadsCollection2AndMasks) {
  const QaClassifier c2(QaEncoding::kLandsatC2, {}, Compat::kPyccd);
  EXPECT_EQ(c2.Classify(21824), QaClass::kClear);
  EXPECT_EQ(c2.Classify(21952), QaClass::kWater);
  EXPECT_EQ(c2.Classify(22280), QaClass::kCloud);
  EXPECT_EQ(c2.Classify(23888), QaClass::kShadow);
  EXPECT_EQ(c2.Classify(30048), QaClass::kSnow);
  EXPECT_EQ(c2.Classify(1), QaClass::kFill);
  const QaClassifier mask(QaEncoding::kClearMask, {}, Compat::kPyccd);
  EXPECT_EQ(mask.Classify(0), QaClass::kOther);
  EXPECT_EQ(mask.Classify(1), QaClass::kClear);
}

TEST(QaTest, CountsShares) {
  int counts[kQaClasses] = {};
  counts[static_cast<int>(QaClass::kClear)] = 6;
  counts[static_cast<int>(QaClass::kWater)] = 2;
  counts[static_cast<int>(QaClass::kSnow)] = 4;
  counts[static_cast<int>(QaClass::kCloud)] = 8;
  counts[static_cast<int>(QaClass::kFill)] = 100;
  const QaSummary s = QaSummary::FromCounts(counts);
  EXPECT_DOUBLE_EQ(s.CloudProbability(), 8 / 20.0);
  EXPECT_DOUBLE_EQ(s.SnowProbability(), 4 / 12.01);
  EXPECT_DOUBLE_EQ(s.WaterProbability(), 2 / 8.01);
  EXPECT_DOUBLE_EQ(s.ClearFraction(), 8 / 20.0);
  EXPECT_TRUE(std::isnan(QaSummary().CloudProbability()));
}

// The values of the specification of the reference.
TEST(ModelTest, HasTheThresholdsOfTheReference) {
  const Model model = Model::Make(SevenBands()).value();
  EXPECT_NEAR(model.ChangeThreshold(6), 15.086272469388987, 1e-11);
  EXPECT_NEAR(model.outlier_threshold(), 35.888186879610423, 1e-9);
  EXPECT_NEAR(model.ChangeThreshold(7), 13.475607286890922, 1e-11);
  EXPECT_NEAR(model.ChangeThreshold(12), 9.23635689978112, 1e-11);
  EXPECT_NEAR(model.ChangeThreshold(96), 2.67529550607003, 1e-11);
}

TEST(ModelTest, LooksFartherAheadInDenseSeries) {
  const Model model = Model::Make(SevenBands()).value();
  EXPECT_EQ(model.PeekSize(16), 6);
  EXPECT_EQ(model.PeekSize(30), 6);
  EXPECT_EQ(model.PeekSize(8), 12);
  EXPECT_EQ(model.PeekSize(7), 14);
  EXPECT_EQ(model.PeekSize(1.5), 64);
  EXPECT_EQ(model.PeekSize(1), 96);
}

TEST(ModelTest, GrowsWithTheObservations) {
  const Model model = Model::Make(SevenBands()).value();
  EXPECT_EQ(model.Coefficients(12), 4);
  EXPECT_EQ(model.Coefficients(17), 4);
  EXPECT_EQ(model.Coefficients(18), 6);
  EXPECT_EQ(model.Coefficients(24), 8);
  Parameters p = SevenBands();
  p.max_coefficients = 4;
  EXPECT_EQ(Model::Make(p)->Coefficients(500), 4);
}

TEST(ModelTest, RefusesWhatMakesNoSense) {
  const auto message = [](void (*change)(Parameters&)) {
    Parameters p = SevenBands();
    change(p);
    return std::string(Model::Make(p).status().message());
  };
  EXPECT_THAT(message([](Parameters& p) { p.bands.clear(); }),
              HasSubstr("bands"));
  EXPECT_THAT(message([](Parameters& p) { p.bands.resize(65); }),
              HasSubstr("65 bands"));
  EXPECT_THAT(message([](Parameters& p) { p.detection_bands = {}; }),
              HasSubstr("detection_bands is empty"));
  EXPECT_THAT(message([](Parameters& p) { p.detection_bands = {7}; }),
              HasSubstr("names band 7"));
  EXPECT_THAT(message([](Parameters& p) {
                p.tmask_bands = {1, 1};
              }),
              HasSubstr("twice"));
  EXPECT_THAT(message([](Parameters& p) { p.bands[2].scale = 0; }),
              HasSubstr("band 2"));
  EXPECT_THAT(message([](Parameters& p) { p.bands[2].valid_max = -1; }),
              HasSubstr("empty"));
  EXPECT_THAT(message([](Parameters& p) { p.meow_size = 5; }),
              HasSubstr("meow_size"));
  EXPECT_THAT(message([](Parameters& p) { p.max_coefficients = 5; }),
              HasSubstr("max_coefficients"));
  EXPECT_THAT(message([](Parameters& p) { p.lambda = std::nan(""); }),
              HasSubstr("lambda"));
  EXPECT_THAT(message([](Parameters& p) { p.thermal_band = 7; }),
              HasSubstr("thermal"));
}

// As numpy 1.24.2 answers.
TEST(NumpyOrderTest, LeavesTiesAsNumpyDoes) {
  const auto order = [](const std::vector<int64_t>& keys) {
    std::vector<int32_t> out(keys.size());
    NumpyOrder(keys, absl::MakeSpan(out));
    return out;
  };
  EXPECT_THAT(order({3, 1, 2, 1}), ElementsAre(1, 3, 2, 0));
  EXPECT_THAT(
      order(std::vector<int64_t>(17, 0)),
      ElementsAre(0, 14, 13, 12, 11, 10, 9, 15, 8, 6, 5, 4, 3, 2, 1, 7, 16));
  const auto of_40 = order(std::vector<int64_t>(40, 0));
  EXPECT_THAT(std::vector<int32_t>(of_40.begin(), of_40.begin() + 8),
              ElementsAre(0, 22, 23, 24, 25, 26, 27, 28));
  EXPECT_TRUE(order({}).empty());
}

TEST(NumpyOrderTest, SortsAnything) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<int64_t> keys(random() % 2000);
    for (size_t i = 0; i < keys.size(); ++i) {
      // Random, organ pipe and few distinct keys.
      keys[i] = trial % 3 == 0 ? static_cast<int64_t>(random())
                : trial % 3 == 1
                    ? static_cast<int64_t>(std::min(i, keys.size() - i))
                    : static_cast<int64_t>(random() % 4);
    }
    std::vector<int32_t> order(keys.size());
    NumpyOrder(keys, absl::MakeSpan(order));
    for (size_t i = 1; i < order.size(); ++i) {
      ASSERT_LE(keys[static_cast<size_t>(order[i - 1])],
                keys[static_cast<size_t>(order[i])]);
    }
    ASSERT_EQ(std::set<int32_t>(order.begin(), order.end()).size(),
              order.size());
  }
}

TEST(HarmonicsTest, AgreesWithTheLibrary) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 20000; ++trial) {
    const double t = static_cast<double>(random() % 2000000) - 1000000;
    const CosSin h = PeriodicCosSin(t, 365.2425);
    const long double x = 2 * std::acos(-1.0L) *
                          (std::fmod(static_cast<long double>(t), 365.2425) /
                           static_cast<long double>(365.2425));
    ASSERT_NEAR(h.cos, static_cast<double>(std::cos(x)), 8e-16) << t;
    ASSERT_NEAR(h.sin, static_cast<double>(std::sin(x)), 8e-16) << t;
  }
}

TEST(HarmonicsTest, MovesThePhaseOrigin) {
  const double w = 2 * std::acos(-1.0) / 365.2425;
  const double coefs[kBasis] = {10, 2, 300, -50, 20, 7, -3, 11};
  double moved[kBasis];
  std::copy(coefs, coefs + kBasis, moved);
  PhaseShift(kOrdinalOf1970, 365.2425).Apply(moved);
  for (const double day : {-4000.0, 0.0, 1.0, 17000.0}) {
    double here = 0;
    double there = 0;
    for (int k = 1; k <= 3; ++k) {
      const double t = day + kOrdinalOf1970;
      here += coefs[2 * k] * std::cos(k * w * t) +
              coefs[2 * k + 1] * std::sin(k * w * t);
      there += moved[2 * k] * std::cos(k * w * day) +
               moved[2 * k + 1] * std::sin(k * w * day);
    }
    EXPECT_NEAR(here, there, 1e-8);
  }
  PhaseShift(-kOrdinalOf1970, 365.2425).Apply(moved);
  for (int k = 0; k < kBasis; ++k) EXPECT_NEAR(moved[k], coefs[k], 1e-11);
}

TEST(DateTableTest, SortsDatesBefore1970Too) {
  const Model model = Model::Make(SevenBands()).value();
  const auto dates = DateTable::Make(model, {50, -1000, 7}).value();
  EXPECT_THAT(std::vector<int32_t>(dates.days(), dates.days() + 3),
              ElementsAre(-1000, 7, 50));
  EXPECT_THAT(std::vector<int32_t>(dates.order(), dates.order() + 3),
              ElementsAre(1, 2, 0));
  for (int i = 0; i < 3; ++i) {
    EXPECT_GE(dates.season()[i], 0);
    EXPECT_LT(dates.season()[i], dates.season_length());
  }
}

TEST(DateTableTest, RefusesDatesOutOfRange) {
  const Model model = Model::Make(SevenBands()).value();
  EXPECT_THAT(
      std::string(
          DateTable::Make(model, {DateTable::kMaxDay + 1}).status().message()),
      HasSubstr("days from 1970-01-01"));
  EXPECT_EQ(DateTable::Make(model, {})->size(), 0);
}

TEST(MedianTest, TakesTheMeanOfTheMiddleTwo) {
  std::vector<double> odd = {5, 1, 9};
  EXPECT_EQ(MedianOf(absl::MakeSpan(odd)), 5);
  std::vector<double> even = {5, 1, 9, 6};
  EXPECT_EQ(MedianOf(absl::MakeSpan(even)), 5.5);
  std::vector<double> one = {3};
  EXPECT_EQ(MedianOf(absl::MakeSpan(one)), 3);
}

TEST(MedianTest, FindsWhatASortWouldFind) {
  std::mt19937 random(13);
  for (int trial = 0; trial < 900; ++trial) {
    std::vector<double> values(1 + random() % (trial % 5 == 0 ? 3000 : 300));
    const int kind = trial % 7;
    for (double& x : values) {
      const auto r = static_cast<double>(random() % 100000);
      x = kind == 0   ? r
          : kind == 1 ? std::floor(r / 5000)     // many ties
          : kind == 2 ? std::exp(r / 1000 - 60)  // many octaves
          : kind == 3 ? 4000 + r * 1e-9          // many equal bits
          : kind == 4 ? r - 50000                // negative ones
          : kind == 5 ? (r > 50000 ? HUGE_VAL : -HUGE_VAL)
                      : (random() % 3 == 0 ? 0 : r * 1e-310);  // tiny ones
    }
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const size_t n = sorted.size();
    const double want =
        n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    const double median = MedianOf(absl::MakeSpan(values));
    if (std::isnan(want) && std::isnan(median)) continue;  // both infinities
    EXPECT_EQ(median, want) << n << " values of kind " << kind;
  }
}

// A series of one band.
struct OneBandSeries {
  OneBandSeries(const std::vector<int32_t>& days,
                const std::vector<double>& values)
      : model([] {
          Parameters p;
          p.bands.resize(1);
          p.detection_bands = {0};
          return Model::Make(p).value();
        }()),
        dates(DateTable::Make(model, days).value()) {
    series.Reset(model, dates);
    for (int i = 0; i < dates.size(); ++i) {
      series.candidate_rows()[i].v[0] = values[static_cast<size_t>(i)];
      series.Keep(i, i, dates.days()[i]);
    }
  }
  Model model;
  DateTable dates;
  Series series;
  VariogramSpace space;
};

TEST(VariogramTest, UsesTheFirstLagBeyondTheMinimum) {
  // 16 days apart: lag 2 is the first beyond 30 days.
  std::vector<int32_t> days;
  std::vector<double> values;
  for (int i = 0; i < 20; ++i) {
    days.push_back(16 * i);
    values.push_back(i * i);
  }
  OneBandSeries one(days, values);
  Row out;
  ASSERT_TRUE(Variogram(one.series, 1, 30, one.space, &out));
  // Differences 4 i + 4 for i = 0 .. 17.
  EXPECT_EQ(out.v[0], 4 * 8.5 + 4);
  EXPECT_EQ(MedianStep(one.series, one.space), 16);
}

TEST(VariogramTest, TakesTheSmallestOfTheMostFrequentSteps) {
  // Steps 10, 40 twice each at lag 1: 10 counts, so lag 2 is used.
  OneBandSeries one({0, 10, 50, 60, 100}, {0, 1, 2, 4, 8});
  Row out;
  ASSERT_TRUE(Variogram(one.series, 1, 30, one.space, &out));
  EXPECT_EQ(out.v[0], 3);
}

TEST(VariogramTest, FailsWithinTheMinimum) {
  OneBandSeries one({0, 2, 5, 30}, {1, 2, 3, 4});
  Row out;
  EXPECT_FALSE(Variogram(one.series, 1, 30, one.space, &out));
}

TEST(VariogramTest, CountsDifferencesOfManyYears) {
  OneBandSeries one({0, 10, 20000, 60000}, {0, 1, 3, 7});
  Row out;
  // Lag 1: 10, 19990, 40000, once each: 10 counts. Lag 2: all are long.
  ASSERT_TRUE(Variogram(one.series, 1, 30, one.space, &out));
  EXPECT_EQ(out.v[0], 4.5);
}

TEST(SeasonTest, FindsWhatASortWouldFind) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    std::set<int32_t> chosen;
    while (chosen.size() < 60) {
      chosen.insert(static_cast<int32_t>(random() % 9000) - 3000);
    }
    const std::vector<int32_t> days(chosen.begin(), chosen.end());
    OneBandSeries one(days, std::vector<double>(days.size(), 0));
    const int end = 20 + static_cast<int>(random() % 40);
    const int target = static_cast<int>(random() % days.size());
    SeasonSpace season;
    season.Reset(one.dates);
    season.Add(one.dates, one.series, 0, end);
    const auto distance = [&](int32_t i) {
      const double d =
          days[static_cast<size_t>(i)] - days[static_cast<size_t>(target)];
      return std::fabs(std::nearbyint(d / 365.25) * 365.25 - d);
    };
    std::vector<int32_t> all(static_cast<size_t>(end));
    std::iota(all.begin(), all.end(), 0);
    std::stable_sort(all.begin(), all.end(), [&](int32_t a, int32_t b) {
      return distance(a) < distance(b);
    });
    const size_t count = std::min<size_t>(24, all.size());
    season.FindNearest(one.dates, target, 24);
    const bool tied = all.size() > 24 && distance(all[23]) == distance(all[24]);
    EXPECT_EQ(season.tied().empty(), !tied);
    if (tied) season.BreakTies(one.dates, target, 24, false);
    std::vector<int32_t> found = season.nearest();
    all.resize(count);
    std::sort(found.begin(), found.end());
    std::sort(all.begin(), all.end());
    EXPECT_EQ(found, all);
  }
}

// Seven bands of int16 for the filters.
struct FilterCase {
  explicit FilterCase(int n, Parameters p = SevenBands())
      : model(Model::Make(p).value()), values(7) {
    std::vector<int32_t> days;
    for (int i = 0; i < n; ++i) days.push_back(10 * (i / 2));
    dates.emplace_back(DateTable::Make(model, days).value());
    for (size_t b = 0; b < 7; ++b) {
      values[b].assign(static_cast<size_t>(n),
                       static_cast<int16_t>(b == 6 ? 2900 : 1000));
    }
    classes.assign(static_cast<size_t>(n), QaClass::kClear);
  }
  std::vector<int32_t> Filter(Procedure procedure) {
    std::vector<BandSeries> bands;
    for (const auto& band : values) {
      bands.push_back({band.data(), ElementType::kInt16});
    }
    FilterObservations(model, dates[0], {bands, {}}, classes, procedure, space,
                       series);
    return {series.dates(), series.dates() + series.size()};
  }
  Model model;
  std::vector<DateTable> dates;
  std::vector<std::vector<int16_t>> values;
  std::vector<QaClass> classes;
  FilterSpace space;
  Series series;
};

TEST(FiltersTest, KeepsTheFirstOfADateThatPasses) {
  FilterCase c(6);
  EXPECT_THAT(c.Filter(Procedure::kStandard), ElementsAre(0, 2, 4));
  c.classes[0] = QaClass::kCloud;
  c.values[3][2] = 10000;
  c.values[0][4] = 0;
  EXPECT_THAT(c.Filter(Procedure::kStandard), ElementsAre(1, 3, 5));
}

TEST(FiltersTest, ConvertsTheThermalBandInTheStandardProcedureOnly) {
  FilterCase c(2);
  c.values[6] = {2731, 2731};
  c.Filter(Procedure::kStandard);
  EXPECT_EQ(c.series.origin()[0].v[6], 27310 - 27315);
  c.Filter(Procedure::kSnow);
  EXPECT_EQ(c.series.origin()[0].v[6], 2731);
}

TEST(FiltersTest, TakesSnowUncheckedInTheSnowProcedure) {
  FilterCase c(6);
  c.classes[2] = QaClass::kSnow;
  c.values[0][2] = 20000;
  EXPECT_THAT(c.Filter(Procedure::kSnow), ElementsAre(0, 2, 4));
  EXPECT_THAT(c.Filter(Procedure::kStandard), ElementsAre(0, 3, 4));
  Parameters p = SevenBands();
  p.compat = Compat::kNone;
  FilterCase sound(6, p);
  sound.classes[2] = QaClass::kSnow;
  sound.values[0][2] = 20000;
  EXPECT_THAT(sound.Filter(Procedure::kSnow), ElementsAre(0, 3, 4));
}

TEST(FiltersTest, LeavesHazeOutOfInsufficientlyClearPixels) {
  FilterCase c(6);
  c.values[1][2] = 1400;
  c.values[1][3] = 1400;
  EXPECT_THAT(c.Filter(Procedure::kInsufficientClear), ElementsAre(0, 4));
  c.values[1][2] = 1399;
  EXPECT_THAT(c.Filter(Procedure::kInsufficientClear), ElementsAre(0, 2, 4));
}

TEST(FiltersTest, LeavesMissingValuesOut) {
  Parameters p = SevenBands();
  p.bands[4].missing = {1234};
  p.bands[5].raw_max = 1000;
  FilterCase c(6, p);
  c.values[4][0] = 1234;
  c.values[5][2] = 1001;
  EXPECT_THAT(c.Filter(Procedure::kStandard), ElementsAre(1, 3, 4));
}

TEST(FiltersTest, ChoosesTheProcedureByTheShares) {
  const Model model = Model::Make(SevenBands()).value();
  QaSummary s;
  EXPECT_EQ(ChooseProcedure(model, s), Procedure::kInsufficientClear);
  s.total = 8;
  s.clear = 2;
  EXPECT_EQ(ChooseProcedure(model, s), Procedure::kStandard);
  s.clear = 1;
  EXPECT_EQ(ChooseProcedure(model, s), Procedure::kInsufficientClear);
  s.snow = 7;
  EXPECT_EQ(ChooseProcedure(model, s), Procedure::kSnow);
}

}  // namespace
}  // namespace internode::functions::ccdc
