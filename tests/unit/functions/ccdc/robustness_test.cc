// Bad and odd pixels: none crashes, hangs, or gives a record out of range; and
// all instruction sets give the same bytes.

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "hwy/targets.h"

#include "functions/ccdc/detect.h"
#include "tests/support/sanitizers.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"
#include "tests/unit/functions/ccdc/invariants.h"

namespace internode::functions::ccdc {
namespace {

using internode::testing::kSanitized;

// A made-up pixel of float bands, reflectance x 10,000 and no thermal band.
struct Made {
  Made(int bands, int n, int step = 16) {
    p.bands.resize(static_cast<size_t>(bands));
    for (int b = 0; b < bands; ++b) p.detection_bands.push_back(b);
    p.tmask_bands = {0};
    if (bands > 1) p.tmask_bands.push_back(bands - 1);
    std::mt19937 random(17);
    values.resize(static_cast<size_t>(bands));
    for (int i = 0; i < n; ++i) {
      days.push_back(7000 + step * i);
      qa.push_back(0);
      for (auto& band : values) {
        band.push_back(static_cast<float>(1500 +
                                          400 * std::cos(days.back() * 0.0172) +
                                          static_cast<double>(random() % 61)));
      }
    }
  }

  // Raises all bands from observation `from` on.
  void Step(int from, float by) {
    for (auto& band : values) {
      for (size_t i = static_cast<size_t>(from); i < band.size(); ++i) {
        band[i] += by;
      }
    }
  }

  void Run() {
    const Model model = Model::Make(p).value();
    const DateTable dates = DateTable::Make(model, days).value();
    std::vector<BandSeries> bands;
    for (const auto& band : values) {
      bands.push_back({band.data(), ElementType::kFloat32});
    }
    DetectSegments(model, dates, {bands, {qa.data(), ElementType::kUint8}}, w);
    EXPECT_EQ(testing::BrokenInvariant(model, dates, w), "");
  }
  int segments() const { return w.segments().size(); }
  PixelStatus status() const { return w.result.status; }

  Parameters p;
  std::vector<int32_t> days;
  std::vector<uint8_t> qa;
  std::vector<std::vector<float>> values;
  Workspace w;
};

void ExpectOneBreak(Made& m, int at) {
  m.Run();
  ASSERT_GE(m.segments(), 2);
  const Segment& first = m.w.segments().segment(0);
  EXPECT_EQ(first.change_probability, 1);
  EXPECT_EQ(first.break_day, m.days[static_cast<size_t>(at)]);
}

TEST(RobustnessTest, FindsABreakInOneTwoAndTenBands) {
  for (const int bands : {1, 2, 8, 9, 10, 17}) {
    Made m(bands, 200);
    m.Step(100, 900);
    SCOPED_TRACE(bands);
    ExpectOneBreak(m, 100);
  }
}

TEST(RobustnessTest, FindsABreakInReflectanceOfZeroToOne) {
  Made scaled(4, 200);
  scaled.Step(100, 900);
  scaled.Run();
  Made unit(4, 200);
  unit.Step(100, 900);
  for (auto& band : unit.values) {
    for (float& v : band) v /= 16384;
  }
  for (BandParameters& band : unit.p.bands) band.scale = 16384;
  unit.Run();
  ASSERT_EQ(unit.segments(), scaled.segments());
  // A power of two divides exactly.
  for (int s = 0; s < unit.segments(); ++s) {
    EXPECT_EQ(unit.w.segments().coefs(s), scaled.w.segments().coefs(s));
  }
}

TEST(RobustnessTest, SameWithAnyIntegerType) {
  Made m(3, 150);
  m.Step(80, 700);
  for (auto& band : m.values) {
    for (float& v : band) v = std::floor(v);
  }
  m.Run();
  const Model model = Model::Make(m.p).value();
  const DateTable dates = DateTable::Make(model, m.days).value();
  std::vector<std::vector<int32_t>> ints;
  std::vector<BandSeries> bands;
  for (const auto& band : m.values) ints.emplace_back(band.begin(), band.end());
  for (const auto& band : ints) {
    bands.push_back({band.data(), ElementType::kInt32});
  }
  const std::vector<int64_t> qa(m.qa.begin(), m.qa.end());
  Workspace w;
  DetectSegments(model, dates, {bands, {qa.data(), ElementType::kInt64}}, w);
  ASSERT_EQ(w.segments().size(), m.segments());
  for (int s = 0; s < m.segments(); ++s) {
    EXPECT_EQ(w.segments().coefs(s), m.w.segments().coefs(s));
  }
}

TEST(RobustnessTest, HasNothingToSayOfFillAndClouds) {
  for (const uint8_t code : {uint8_t{255}, uint8_t{4}, uint8_t{77}}) {
    Made m(3, 100);
    m.qa.assign(100, code);
    m.Run();
    EXPECT_EQ(m.status(), PixelStatus::kTooFewObservations);
  }
}

TEST(RobustnessTest, NeedsAWindowOfObservations) {
  for (const int n : {0, 1, 2, 11, 12}) {
    Made m(3, n);
    m.Run();
    EXPECT_EQ(m.status(), PixelStatus::kTooFewObservations) << n;
  }
  Made sound(3, 12, 40);
  sound.p.compat = Compat::kNone;
  sound.Run();
  EXPECT_EQ(sound.status(), PixelStatus::kOk);
}

TEST(RobustnessTest, FailsWithinThirtyDaysAsTheReferenceDoes) {
  Made m(3, 20, 1);
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kFailed);
  EXPECT_EQ(m.w.result.message,
            "all 20 usable observations lie within 30 days");
  Made sound(3, 20, 1);
  sound.p.compat = Compat::kNone;
  sound.Run();
  EXPECT_EQ(sound.status(), PixelStatus::kNoSegments);
}

TEST(RobustnessTest, FailsOnUnsupportedBits) {
  Made m(3, 50);
  m.p.qa_encoding = QaEncoding::kLandsatArd;
  m.qa.assign(50, 2);
  m.qa[30] = 64;
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kFailed);
  EXPECT_NE(m.w.result.message.find("quality code 64 of observation 30"),
            std::string::npos);
  for (const uint8_t used : m.w.processing_mask()) EXPECT_EQ(used, 0);
}

TEST(RobustnessTest, TakesUnsortedAndRepeatedDates) {
  Made m(3, 200);
  m.Step(100, 900);
  m.Run();
  Made mixed(3, 200);
  mixed.Step(100, 900);
  std::vector<size_t> order(200);
  for (size_t i = 0; i < 200; ++i) order[i] = (i * 77) % 200;
  const Made before = mixed;
  for (size_t i = 0; i < 200; ++i) {
    mixed.days[i] = before.days[order[i]];
    for (size_t b = 0; b < 3; ++b) {
      mixed.values[b][i] = before.values[b][order[i]];
    }
  }
  // Repeats of the first date that are no use.
  for (int i = 0; i < 30; ++i) {
    mixed.days.push_back(mixed.days[0]);
    mixed.qa.push_back(4);
    for (auto& band : mixed.values) band.push_back(5000);
  }
  mixed.Run();
  ASSERT_EQ(mixed.segments(), m.segments());
  for (int s = 0; s < m.segments(); ++s) {
    EXPECT_EQ(mixed.w.segments().coefs(s), m.w.segments().coefs(s));
  }
}

TEST(RobustnessTest, FitsOneDateManyTimes) {
  Made m(3, 100);
  m.days.assign(100, 5);
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kTooFewObservations);
}

TEST(RobustnessTest, SurvivesConstantAndSaturatedBands) {
  for (const float value : {500.0f, 0.0f, 10000.0f, 65535.0f}) {
    Made m(3, 150);
    m.values[1].assign(150, value);
    m.Run();
    m.values[0] = m.values[1];
    m.values[2] = m.values[1];
    m.Run();
  }
}

// Bands that differ from their usual value in a few observations: the median of
// the differences is zero, and so is every limit that is a multiple of it.
TEST(RobustnessTest, SurvivesAMadogramOfZero) {
  for (const bool all : {false, true}) {
    Made m(3, 150);
    for (size_t b = 0; b < (all ? 3u : 1u); ++b) {
      m.values[b].assign(150, 800);
      for (size_t i = 7; i < 150; i += 21) m.values[b][i] = 950;
    }
    m.Run();
    EXPECT_EQ(m.w.state.variogram[0].v[0], 0);
    EXPECT_NE(m.status(), PixelStatus::kFailed);
  }
}

TEST(RobustnessTest, LeavesOutWhatIsNotFinite) {
  Made m(3, 200);
  m.Step(100, 900);
  for (size_t i = 5; i < 200; i += 10) {
    m.values[i % 3][i] = std::numeric_limits<float>::quiet_NaN();
    m.values[(i + 1) % 3][i + 1] = std::numeric_limits<float>::infinity();
    m.values[(i + 2) % 3][i + 2] = -std::numeric_limits<float>::infinity();
  }
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kOk);
  EXPECT_EQ(m.w.processing_mask()[5], 0);
  EXPECT_EQ(m.w.processing_mask()[6], 0);
  // Snow is not checked for its range, but has to be finite.
  m.qa.assign(200, 3);
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kOk);
  EXPECT_EQ(m.w.segments().segment(0).curve_qa, kPersistentSnow);
}

TEST(RobustnessTest, SurvivesHugeValues) {
  Made m(2, 100);
  for (BandParameters& band : m.p.bands) {
    band.scale = 1e300;
    band.valid_max = 1e308;
  }
  m.Run();
  EXPECT_EQ(m.status(), PixelStatus::kFailed);
}

TEST(RobustnessTest, TakesTwentyThousandObservations) {
  Made m(7, 20000, 3);
  for (int from = 1500; from < 20000; from += 1500) {
    m.Step(from, from / 1500 % 2 == 1 ? 900.0f : -900.0f);
  }
  m.Run();
  EXPECT_GE(m.segments(), 10);
}

TEST(RobustnessTest, TakesDatesBefore1970) {
  Made m(3, 200);
  m.Step(100, 900);
  for (int32_t& day : m.days) day -= 30000;
  ExpectOneBreak(m, 100);
}

TEST(RobustnessTest, TakesWindowsOfExactlyOneYear) {
  for (const Compat compat : {Compat::kPyccd, Compat::kNone}) {
    Made m(3, 400, 5);
    m.p.compat = compat;
    m.Step(200, 900);
    ExpectOneBreak(m, 200);
  }
}

// Random pixels and parameters of all kinds.
Made RandomPixel(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&random](uint32_t n) {
    return static_cast<int>(random() % n);
  };
  Made m(1 + below(10), below(400), 1 + below(30));
  m.p.compat = below(2) == 0 ? Compat::kPyccd : Compat::kNone;
  m.p.meow_size = 6 + below(20);
  m.p.peek_size = 2 + below(12);
  m.p.max_coefficients = 4 + 2 * below(3);
  m.p.observations_per_coefficient = 2 + below(4);
  m.p.outlier_probability = below(3) == 0 ? 0.5 : 0.999999;
  m.p.lambda = below(4) == 0 ? 0 : below(1000) / 10.0;
  m.p.max_iterations = 1 + below(2000);
  m.p.min_years = 0.2 + below(30) / 10.0;
  if (below(2) == 0) m.p.tmask_bands.clear();
  for (int s = below(4); s > 0 && !m.days.empty(); --s) {
    m.Step(below(static_cast<uint32_t>(m.days.size())),
           static_cast<float>(below(3000)) - 1500);
  }
  for (size_t i = 0; i < m.days.size(); ++i) {
    if (below(4) == 0) m.qa[i] = static_cast<uint8_t>(below(6));
    if (below(10) == 0) m.days[i] = 7000 + below(9000);
    if (below(12) == 0) {
      m.values[0][i] = static_cast<float>(below(40000)) - 20000;
    }
    if (below(50) == 0) m.values[0][i] = std::nanf("");
  }
  return m;
}

TEST(RobustnessTest, RandomPixelsGiveRecordsInRange) {
  for (uint32_t seed = 0; seed < (kSanitized ? 300 : 1500); ++seed) {
    SCOPED_TRACE(seed);
    RandomPixel(seed).Run();
    if (::testing::Test::HasFailure()) return;
  }
}

// Everything that a pixel gives, as bytes.
std::vector<double> AllNumbers(const Workspace& w) {
  std::vector<double> all;
  for (int s = 0; s < w.segments().size(); ++s) {
    const Segment& segment = w.segments().segment(s);
    all.insert(all.end(), {static_cast<double>(segment.start_day),
                           static_cast<double>(segment.end_day),
                           static_cast<double>(segment.break_day),
                           static_cast<double>(segment.observation_count),
                           static_cast<double>(segment.curve_qa)});
    for (const auto& list : {w.segments().coefs(s), w.segments().rmse(s),
                             w.segments().magnitude(s)}) {
      all.insert(all.end(), list.begin(), list.end());
    }
  }
  for (const uint8_t used : w.processing_mask()) all.push_back(used);
  return all;
}

absl::string_view BytesOf(const std::vector<double>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()),
          numbers.size() * sizeof(double)};
}

// Runs the pixels with each instruction set that the machine has; expects the
// same bytes of all.
template <typename RunPixel>
void ExpectTheSameBytes(size_t pixels, const RunPixel& run) {
  hwy::SetSupportedTargetsForTest(0);
  std::vector<std::vector<double>> first;
  int compared = 0;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    hwy::SetSupportedTargetsForTest(target);
    for (size_t i = 0; i < pixels; ++i) {
      const std::vector<double> numbers = run(i);
      if (first.size() <= i) {
        first.push_back(numbers);
        continue;
      }
      ++compared;
      ASSERT_EQ(BytesOf(numbers), BytesOf(first[i]))
          << hwy::TargetName(target) << ": pixel " << i;
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  std::printf("compared %d results between instruction sets\n", compared);
}

TEST(InstructionSetTest, AllGiveTheSameBytesOfTheReferencePixels) {
  const std::string name = "ccdc-golden/dev/synth.h5";
  INTERNODE_NEEDS_SHARED_DATA(name);
  const auto pixels =
      testing::ReadGolden(internode::testing::SharedDataPath(name));
  const size_t step = kSanitized ? 12 : 3;
  ExpectTheSameBytes((pixels.size() + step - 1) / step, [&](size_t i) {
    const testing::GoldenPixel& pixel = pixels[step * i];
    const Model model =
        Model::Make(testing::GoldenParameters(pixel.bitpacked)).value();
    const DateTable dates = DateTable::Make(model, pixel.Days()).value();
    const auto bands = pixel.Bands();
    Workspace w;
    DetectSegments(model, dates, {bands, pixel.Qa()}, w);
    return AllNumbers(w);
  });
}

TEST(InstructionSetTest, AllGiveTheSameBytesOfRandomPixels) {
  ExpectTheSameBytes(kSanitized ? 60 : 300, [](size_t i) {
    Made m = RandomPixel(static_cast<uint32_t>(i));
    m.Run();
    return AllNumbers(m.w);
  });
}

}  // namespace
}  // namespace internode::functions::ccdc
