// The steps of the standard procedure, one by one, on made-up series.

#include <string>

#include "gtest/gtest.h"

#include "functions/ccdc/catch.h"
#include "functions/ccdc/initialise.h"
#include "functions/ccdc/look_back.h"
#include "functions/ccdc/look_forward.h"
#include "tests/unit/functions/ccdc/step_case.h"

namespace internode::functions::ccdc {
namespace {

using testing::Nothing;
using testing::OneBandParameters;
using testing::StepCase;

TEST(InitialiseTest, TakesTheFirstWindowOfAYear) {
  StepCase c(OneBandParameters(), 100, 16, Nothing);
  ASSERT_TRUE(Initialise(c.model, c.dates, c.state));
  EXPECT_EQ(c.state.begin, 0);
  // 23 steps of 16 days are the first that reach 365.
  EXPECT_EQ(c.state.end, 24);
  EXPECT_EQ(c.state.curves.coefficients, 4);
  EXPECT_EQ(c.dropped(), 0);
}

TEST(InitialiseTest, TakesAtLeastTheSmallestWindow) {
  StepCase c(OneBandParameters(), 60, 100, Nothing);
  ASSERT_TRUE(Initialise(c.model, c.dates, c.state));
  EXPECT_EQ(c.state.end, 12);
}

TEST(InitialiseTest, GivesUpBeforeTheEndOfTheSeries) {
  // The window of 24 has to be followed by more than 12 others.
  StepCase shorter(OneBandParameters(), 36, 16, Nothing);
  EXPECT_FALSE(Initialise(shorter.model, shorter.dates, shorter.state));
  StepCase longer(OneBandParameters(), 37, 16, Nothing);
  EXPECT_TRUE(Initialise(longer.model, longer.dates, longer.state));
}

TEST(InitialiseTest, MovesOnWhileTheWindowIsNotStable) {
  // A steep rise for 20 observations.
  StepCase c(OneBandParameters(), 100, 16,
             [](int i) { return i < 20 ? 40.0 * (i - 20) : 0; });
  ASSERT_TRUE(Initialise(c.model, c.dates, c.state));
  EXPECT_GE(c.state.begin, 12);
  EXPECT_LE(c.state.begin, 20);
}

TEST(InitialiseTest, DropsWhatTmaskFinds) {
  StepCase c(OneBandParameters(), 100, 16,
             [](int i) { return i == 7 || i == 15 ? 900.0 : 0; });
  ASSERT_TRUE(Initialise(c.model, c.dates, c.state));
  EXPECT_EQ(c.dropped(), 2);
  EXPECT_EQ(c.kept(7), 0);
  EXPECT_EQ(c.kept(15), 0);
  EXPECT_EQ(c.state.begin, 0);
  EXPECT_EQ(c.state.end, 22);
  EXPECT_EQ(c.state.series.day(21), c.day(23));
}

TEST(InitialiseTest, DropsNothingIfTheWindowWouldBeTooShort) {
  // Without its last observation the window of 24 does not span a year; that
  // of 25 does.
  StepCase c(OneBandParameters(), 100, 16,
             [](int i) { return i == 23 ? 900.0 : 0; });
  ASSERT_TRUE(Initialise(c.model, c.dates, c.state));
  EXPECT_EQ(c.kept(23), 0);
  EXPECT_EQ(c.state.end, 24);
  EXPECT_EQ(c.state.series.day(23), c.day(24));
}

TEST(InitialiseTest, KeepsOutliersWithoutTmaskBands) {
  Parameters p = OneBandParameters();
  p.tmask_bands.clear();
  StepCase c(p, 100, 16, [](int i) { return i == 7 ? 900.0 : 0; });
  Initialise(c.model, c.dates, c.state);
  EXPECT_EQ(c.dropped(), 0);
}

TEST(LookBackTest, TakesInWhatFits) {
  StepCase c(OneBandParameters(), 80, 16, Nothing);
  c.Fitted(20, 50);
  LookBack(c.model, c.dates, c.state);
  EXPECT_EQ(c.state.begin, 0);
  EXPECT_EQ(c.state.end, 50);
}

TEST(LookBackTest, StopsAtAChange) {
  StepCase c(OneBandParameters(), 80, 16,
             [](int i) { return i < 10 ? 600.0 : 0; });
  c.Fitted(20, 50);
  LookBack(c.model, c.dates, c.state);
  EXPECT_EQ(c.state.begin, 10);
  EXPECT_EQ(c.dropped(), 0);
}

TEST(LookBackTest, DropsASingleOutlier) {
  StepCase c(OneBandParameters(), 80, 16,
             [](int i) { return i == 15 ? 900.0 : 0; });
  c.Fitted(20, 50);
  LookBack(c.model, c.dates, c.state);
  EXPECT_EQ(c.kept(15), 0);
  EXPECT_EQ(c.state.begin, 0);
  EXPECT_EQ(c.state.end, 49);
  c.state.series.Reach(c.state.end);
  EXPECT_EQ(c.state.series.day(48), c.day(49));
}

TEST(LookBackTest, GoesNoFartherThanTheSegmentBefore) {
  StepCase c(OneBandParameters(), 80, 16, Nothing);
  c.Fitted(20, 50);
  c.state.previous = 13;
  LookBack(c.model, c.dates, c.state);
  EXPECT_EQ(c.state.begin, 13);
}

const Segment& Only(const StepCase& c) {
  EXPECT_EQ(c.state.segments.size(), 1);
  return c.state.segments.segment(0);
}

TEST(LookForwardTest, RunsToTheEndOfTheData) {
  StepCase c(OneBandParameters(), 100, 16, Nothing);
  c.Fitted(0, 24);
  LookForward(c.model, c.dates, c.state);
  const Segment& s = Only(c);
  // The last window of 6 starts at 94.
  EXPECT_EQ(s.start_day, c.day(0));
  EXPECT_EQ(s.end_day, c.day(94));
  EXPECT_EQ(s.break_day, s.end_day);
  EXPECT_EQ(s.observation_count, 95);
  EXPECT_EQ(s.change_probability, 0);
  EXPECT_EQ(s.curve_qa, 8);
}

TEST(LookForwardTest, ConfirmsAChange) {
  StepCase c(OneBandParameters(), 120, 16,
             [](int i) { return i < 60 ? 0 : 500.0; });
  c.Fitted(0, 24);
  LookForward(c.model, c.dates, c.state);
  const Segment& s = Only(c);
  EXPECT_EQ(s.end_day, c.day(59));
  EXPECT_EQ(s.break_day, c.day(60));
  EXPECT_EQ(s.observation_count, 60);
  EXPECT_EQ(s.change_probability, 1);
  EXPECT_NEAR(c.state.segments.magnitude(0)[0], 500, 30);
  EXPECT_EQ(c.state.end, 60);
}

TEST(LookForwardTest, NeedsAllObservationsAheadForAChange) {
  // Five that are off and one that is not.
  StepCase c(OneBandParameters(), 120, 16,
             [](int i) { return i >= 60 && i < 65 ? 500.0 : 0; });
  c.Fitted(0, 24);
  LookForward(c.model, c.dates, c.state);
  EXPECT_EQ(Only(c).change_probability, 0);
  EXPECT_EQ(c.dropped(), 5);
  for (int i = 60; i < 65; ++i) EXPECT_EQ(c.kept(i), 0);
  EXPECT_EQ(Only(c).observation_count, 120 - 5 - 5);
}

TEST(LookForwardTest, KeepsWhatIsOffByLess) {
  // Beyond the change threshold of 2.58 times the madogram, within that of
  // outliers, 4.9 times.
  StepCase c(OneBandParameters(), 120, 16,
             [](int i) { return i == 60 ? 70.0 : 0; });
  c.Fitted(0, 24);
  LookForward(c.model, c.dates, c.state);
  EXPECT_EQ(c.dropped(), 0);
}

// The last look is made with six observations ahead.
TEST(LookForwardTest, FitsMoreCoefficientsToMoreObservations) {
  for (const auto& [n, quality] : std::vector<std::pair<int, int>>{
           {23, 4}, {24, 6}, {29, 6}, {30, 8}, {60, 8}}) {
    StepCase c(OneBandParameters(), n, 40, Nothing);
    c.Fitted(0, 12);
    LookForward(c.model, c.dates, c.state);
    EXPECT_EQ(Only(c).curve_qa, quality) << n << " observations";
  }
}

TEST(CatchTest, AddsASimpleCurve) {
  StepCase c(OneBandParameters(), 40, 16, Nothing);
  CatchCurve(c.model, c.dates, 3, 20, c.day(3), c.day(19), c.day(20),
             kStartCurve, c.state);
  const Segment& s = Only(c);
  EXPECT_EQ(s.start_day, c.day(3));
  EXPECT_EQ(s.end_day, c.day(19));
  EXPECT_EQ(s.break_day, c.day(20));
  EXPECT_EQ(s.observation_count, 17);
  EXPECT_EQ(s.curve_qa, kStartCurve);
  EXPECT_EQ(s.change_probability, 0);
  EXPECT_EQ(c.state.segments.magnitude(0)[0], 0);
  for (int k = 4; k < kBasis; ++k) {
    EXPECT_EQ(c.state.segments.coefs(0)[static_cast<size_t>(k)], 0);
  }
  EXPECT_NE(c.state.segments.coefs(0)[2], 0);
}

TEST(SeriesTest, DropsWithoutMovingTheRest) {
  StepCase c(OneBandParameters(), 1000, 16, Nothing);
  Series& series = c.state.series;
  series.Drop(10);
  series.Reach(20);
  series.Drop(15);
  series.Drop(12);
  series.Reach(30);
  EXPECT_EQ(series.size(), 997);
  EXPECT_EQ(series.day(10), c.day(11));
  EXPECT_EQ(series.day(12), c.day(14));
  EXPECT_EQ(series.day(13), c.day(15));
  EXPECT_EQ(series.day(14), c.day(17));
  EXPECT_EQ(series.day(29), c.day(32));
  EXPECT_LT(series.moves(), 50);
  series.Reach(series.size());
  EXPECT_EQ(series.day(996), c.day(999));
}

}  // namespace
}  // namespace internode::functions::ccdc
