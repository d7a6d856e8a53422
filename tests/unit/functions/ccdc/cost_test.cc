// What a pixel costs, counted: linear in the number of observations, and
// without memory of its own.

#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "functions/ccdc/detect.h"

namespace internode::functions::ccdc {
namespace {

// Seven bands with a change every 150 observations, and outliers.
struct Cost {
  explicit Cost(int n) {
    Parameters p;
    p.bands.resize(7);
    p.detection_bands = {1, 2, 3, 4, 5};
    p.tmask_bands = {1, 4};
    p.qa_encoding = QaEncoding::kNone;
    std::mt19937 random(5);
    std::vector<int32_t> days;
    std::vector<std::vector<float>> values(7);
    for (int i = 0; i < n; ++i) {
      days.push_back(8 * i);
      const double level = 1500 + (i / 150 % 2 == 0 ? 0 : 500);
      const double spike = random() % 30 == 0 ? 3000 : 0;
      for (auto& band : values) {
        band.push_back(static_cast<float>(level + spike +
                                          300 * std::cos(8 * i * 0.0172) +
                                          static_cast<double>(random() % 61)));
      }
    }
    std::vector<BandSeries> bands;
    for (const auto& band : values) {
      bands.push_back({band.data(), ElementType::kFloat32});
    }
    const Model model = Model::Make(p).value();
    const DateTable dates = DateTable::Make(model, days).value();
    Workspace w;
    DetectSegments(model, dates, {bands, {}}, w);
    segments = w.segments().size();
    effort = w.state.effort;
    moves = w.state.series.moves();
    dropped = n - w.state.series.size();
  }
  int segments = 0;
  int dropped = 0;
  int64_t moves = 0;
  Effort effort;
};

TEST(CostTest, GrowsNoFasterThanTheObservations) {
  const Cost few(1500);
  const Cost many(24000);
  ASSERT_GT(few.segments, 8);
  ASSERT_GT(few.dropped, 20);
  const auto expect_linear = [](const char* what, int64_t small,
                                int64_t large) {
    ASSERT_GT(small, 0) << what;
    EXPECT_LE(static_cast<double>(large),
              16 * 1.15 * static_cast<double>(small))
        << what;
  };
  expect_linear("segments", few.segments, many.segments);
  expect_linear("fits", few.effort.fits, many.effort.fits);
  expect_linear("summed", few.effort.summed, many.effort.summed);
  expect_linear("screened", few.effort.screened, many.effort.screened);
  expect_linear("scored", few.effort.scored, many.effort.scored);
  expect_linear("seasons", few.effort.seasons, many.effort.seasons);
  expect_linear("moves", few.moves, many.moves);
}

}  // namespace
}  // namespace internode::functions::ccdc
