// What compat=none does otherwise than the reference: one test for each row of
// the table in docs/ccdc.md. The rows on unsupported codes, 12 observations, 30
// days and snow have theirs in robustness_test.cc and parts_test.cc.

#include <cmath>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "functions/ccdc/look_back.h"
#include "functions/ccdc/look_forward.h"
#include "tests/unit/functions/ccdc/step_case.h"

namespace internode::functions::ccdc {
namespace {

using testing::Nothing;
using testing::OneBandParameters;
using testing::StepCase;

TEST(CompatTest, EqualDatesAreInInputOrder) {
  const std::vector<int32_t> days(20, 100);
  const auto order = [&days](Compat compat) {
    const Model model = Model::Make(OneBandParameters(compat)).value();
    const auto dates = DateTable::Make(model, days).value();
    return std::vector<int32_t>(dates.order(), dates.order() + 20);
  };
  std::vector<int32_t> input(20);
  for (int i = 0; i < 20; ++i) input[static_cast<size_t>(i)] = i;
  EXPECT_EQ(order(Compat::kNone), input);
  EXPECT_NE(order(Compat::kPyccd), input);
}

TEST(CompatTest, TheSeasonFollowsTheYearLength) {
  const auto season_length = [](Compat compat) {
    Parameters p = OneBandParameters(compat);
    p.year_length = 360;
    const Model model = Model::Make(p).value();
    const auto dates = DateTable::Make(model, {0, 1}).value();
    return static_cast<double>(dates.season_length()) / dates.season()[1];
  };
  EXPECT_EQ(season_length(Compat::kPyccd), 365.25);
  EXPECT_EQ(season_length(Compat::kNone), 360);
}

// Five observations before the window are off, none before these.
TEST(CompatTest, LooksBackOverPeekSizeObservations) {
  const auto begin = [](Compat compat) {
    StepCase c(OneBandParameters(compat), 80, 16,
               [](int i) { return i >= 15 && i < 20 ? 600.0 : 0; });
    c.Fitted(20, 50);
    LookBack(c.model, c.dates, c.state);
    return c.state.begin;
  };
  EXPECT_EQ(begin(Compat::kPyccd), 20) << "five are enough";
  EXPECT_EQ(begin(Compat::kNone), 0) << "the five are dropped";
}

TEST(CompatTest, LooksBackNoFartherThanTheSegmentBefore) {
  const auto begin = [](Compat compat) {
    StepCase c(OneBandParameters(compat), 80, 16,
               [](int i) { return i >= 5 && i < 8 ? 600.0 : 0; });
    c.state.peek = 20;
    c.Fitted(8, 40);
    c.state.previous = 5;
    LookBack(c.model, c.dates, c.state);
    return c.state.begin;
  };
  EXPECT_EQ(begin(Compat::kPyccd), 5) << "those before 5 fit, and count";
  EXPECT_EQ(begin(Compat::kNone), 8) << "all back to the segment are off";
}

// Ends at 25 observations: 8 coefficients were due at 24, but not yet fitted.
TEST(CompatTest, CategoryIsTheNumberOfCoefficients) {
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    StepCase c(OneBandParameters(compat), 30, 16, Nothing);
    c.Fitted(0, 12);
    LookForward(c.model, c.dates, c.state);
    EXPECT_EQ(c.state.segments.segment(0).curve_qa, 8);
    EXPECT_EQ(c.state.curves.coefficients, compat == Compat::kPyccd ? 6 : 8);
  }
}

TEST(CompatTest, TheSeasonalErrorIsDividedByCountLessCoefficients) {
  const auto scale = [](Compat compat) {
    Parameters p = OneBandParameters(compat);
    p.max_coefficients = 4;
    StepCase c(p, 100, 16, Nothing);
    c.state.variogram[0].v[0] = 1e-6;
    c.state.variogram_inverse[0].v[0] = 1e6;
    c.Fitted(0, 24);
    LookForward(c.model, c.dates, c.state);
    EXPECT_EQ(c.state.segments.segment(0).observation_count, 95);
    return c.state.scale[0].v[0];
  };
  // 24 nearest; 1 / error.
  EXPECT_NEAR(scale(Compat::kNone) / scale(Compat::kPyccd),
              std::sqrt((24 - 4) / 16.0), 0.02);
}

// The last look drops its first observation.
TEST(CompatTest, WithoutAChangeTheBreakIsTheEnd) {
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    StepCase c(OneBandParameters(compat), 100, 16,
               [](int i) { return i == 94 ? 900.0 : 0; });
    c.Fitted(0, 24);
    LookForward(c.model, c.dates, c.state);
    const Segment& s = c.state.segments.segment(0);
    EXPECT_EQ(s.change_probability, 0);
    EXPECT_EQ(s.end_day, c.day(93));
    EXPECT_EQ(s.break_day, compat == Compat::kPyccd ? c.day(95) : s.end_day);
  }
}

TEST(CompatTest, TheMagnitudeHasASign) {
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    StepCase c(OneBandParameters(compat), 120, 16,
               [](int i) { return i < 60 ? 0 : -500.0; });
    c.Fitted(0, 24);
    LookForward(c.model, c.dates, c.state);
    EXPECT_NEAR(c.state.segments.magnitude(0)[0],
                compat == Compat::kPyccd ? 500 : -500, 30);
  }
}

// A whole pixel of one band of doubles.
struct Whole {
  Whole(const Parameters& parameters, const std::vector<int32_t>& days,
        const std::vector<double>& values, const std::vector<uint8_t>& qa)
      : model(Model::Make(parameters).value()),
        dates(DateTable::Make(model, days).value()) {
    const BandSeries bands[] = {{values.data(), ElementType::kFloat64}};
    DetectSegments(model, dates, {bands, {qa.data(), ElementType::kUint8}},
                   workspace);
  }
  const SegmentList& segments() const { return workspace.segments(); }

  Model model;
  DateTable dates;
  Workspace workspace;
};

// With a peek size of 24 the first stable window is found, but nothing is left
// to look forward to.
TEST(CompatTest, TheCurveAtTheEndNeverCoversThatAtTheStart) {
  const auto days = StepCase::Days(148, 4);
  std::vector<double> values;
  for (int i = 0; i < 148; ++i) {
    values.push_back(testing::Calm(days[static_cast<size_t>(i)], i) +
                     (i < 40 ? 800 : 0));
  }
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    Whole whole(OneBandParameters(compat), days, values, {});
    ASSERT_EQ(whole.segments().size(), 2);
    const Segment& start = whole.segments().segment(0);
    const Segment& end = whole.segments().segment(1);
    EXPECT_EQ(start.curve_qa, kStartCurve);
    EXPECT_EQ(end.curve_qa, kEndCurve);
    if (compat == Compat::kPyccd) {
      EXPECT_EQ(end.start_day, start.start_day);
    } else {
      EXPECT_GT(end.start_day, start.end_day);
    }
  }
}

// Cloud, 30 clear ones among 200, cloud.
TEST(CompatTest, CurvesOfPoorPixelsSpanTheUsableObservations) {
  const auto days = StepCase::Days(200, 16);
  std::vector<double> values;
  std::vector<uint8_t> qa;
  for (int i = 0; i < 200; ++i) {
    values.push_back(testing::Calm(days[static_cast<size_t>(i)], i));
    qa.push_back(i >= 80 && i < 110 ? 0 : 4);
  }
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    Parameters p = OneBandParameters(compat);
    p.qa_encoding = QaEncoding::kCfmask;
    Whole whole(p, days, values, qa);
    ASSERT_EQ(whole.segments().size(), 1);
    const Segment& s = whole.segments().segment(0);
    EXPECT_EQ(s.curve_qa, kInsufficientClear);
    const bool pyccd = compat == Compat::kPyccd;
    EXPECT_EQ(s.start_day, days[pyccd ? 0 : 80]);
    EXPECT_EQ(s.end_day, days[pyccd ? 199 : 109]);
  }
}

TEST(CompatTest, PoorPixelsHaveTheThermalBandInCelsiusToo) {
  const auto days = StepCase::Days(200, 16);
  std::vector<uint8_t> qa(200, 4);
  for (size_t i = 50; i < 90; ++i) qa[i] = 0;
  std::vector<double> values(200, 2931.5);
  values[60] = 2930;
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    Parameters p = OneBandParameters(compat);
    p.qa_encoding = QaEncoding::kCfmask;
    p.thermal_band = 0;
    p.bands[0].valid_min = kThermalValidMin;
    p.bands[0].valid_max = kThermalValidMax;
    Whole whole(p, days, values, qa);
    ASSERT_EQ(whole.segments().size(), 1);
    EXPECT_NEAR(whole.segments().coefs(0)[0],
                compat == Compat::kPyccd ? 2931.5 : 2000, 30);
  }
}

TEST(CompatTest, AnUnknownCodeCostsOneObservation) {
  const auto days = StepCase::Days(100, 16);
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) {
    values.push_back(testing::Calm(days[static_cast<size_t>(i)], i));
  }
  std::vector<uint8_t> qa(100, 2);
  qa[30] = 64;
  Parameters p = OneBandParameters(Compat::kNone);
  p.qa_encoding = QaEncoding::kLandsatArd;
  const Whole whole(p, days, values, qa);
  EXPECT_EQ(whole.workspace.result.status, PixelStatus::kOk);
  EXPECT_EQ(whole.workspace.processing_mask()[30], 0);
  EXPECT_EQ(whole.workspace.processing_mask()[31], 1);
}

}  // namespace
}  // namespace internode::functions::ccdc
