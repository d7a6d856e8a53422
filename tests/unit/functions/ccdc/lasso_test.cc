#include "functions/ccdc/lasso.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "functions/ccdc/gram.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace internode::functions::ccdc {
namespace {

Model OneBand() {
  Parameters p;
  p.bands.resize(1);
  p.detection_bands = {0};
  return Model::Make(p).value();
}

// A window of one band, ready to be fitted.
struct OneWindow {
  OneWindow(const std::vector<int32_t>& days, const std::vector<double>& y)
      : model(OneBand()), dates(DateTable::Make(model, days).value()) {
    series.Reset(model, dates);
    for (int i = 0; i < dates.size(); ++i) {
      series.candidate_rows()[i].v[0] = y[static_cast<size_t>(i)];
      series.Keep(i, i, dates.days()[i]);
    }
    series.SubtractOrigin(0);
    curves.Resize(1);
  }

  void Fit(int coefficients) {
    sums.Start(series, 0, coefficients);
    sums.Extend(series, dates, series.size());
    SolveLasso(options, sums, curves, &sweeps);
    FitCurves(options, series, dates, sums, curves);
  }
  double Coef(int k) const {
    return curves.weights[static_cast<size_t>(k)].v[0];
  }

  Model model;
  DateTable dates;
  Series series;
  WindowSums sums;
  Curves curves;
  LassoOptions options;
  Row sweeps;
};

TEST(LassoTest, TakesTheSweepsOfTheReferenceInEveryFit) {
  const std::string name = "ccdc-golden/dev/units.h5";
  INTERNODE_NEEDS_SHARED_DATA(name);
  const std::string path = internode::testing::SharedDataPath(name);
  const auto offset = testing::ReadNumbers(path, "lasso/offset");
  const auto ordinals = testing::ReadNumbers(path, "lasso/dates");
  const auto values = testing::ReadNumbers(path, "lasso/y");
  const auto wanted = testing::ReadNumbers(path, "lasso/num_coef");
  const auto coefs = testing::ReadNumbers(path, "lasso/coefficients");
  const auto rmse = testing::ReadNumbers(path, "lasso/rmse");
  const auto sweeps = testing::ReadNumbers(path, "lasso/n_iter");
  ASSERT_GT(wanted.size(), 1000u);
  int other_sweeps = 0;
  for (size_t f = 0; f < wanted.size(); ++f) {
    std::vector<int32_t> days;
    std::vector<double> y;
    for (auto i = static_cast<size_t>(offset[f]);
         i < static_cast<size_t>(offset[f + 1]); ++i) {
      days.push_back(static_cast<int32_t>(ordinals[i]) - kOrdinalOf1970);
      y.push_back(values[i]);
    }
    OneWindow window(days, y);
    window.Fit(static_cast<int>(wanted[f]));
    const bool constant = *std::min_element(y.begin(), y.end()) ==
                          *std::max_element(y.begin(), y.end());
    if (!constant && window.sweeps.v[0] != sweeps[f]) ++other_sweeps;
    EXPECT_NEAR(window.Coef(1), coefs[f * 7], 1e-8) << "fit " << f;
    for (size_t k = 1; k < 7; ++k) {
      EXPECT_NEAR(window.Coef(static_cast<int>(k) + 1), coefs[f * 7 + k], 1e-4)
          << "fit " << f << ", coefficient " << k;
    }
    EXPECT_NEAR(window.curves.rmse[0].v[0], rmse[f], 1e-5) << "fit " << f;
  }
  EXPECT_EQ(other_sweeps, 0) << "of " << wanted.size() << " fits";
}

// Sweep by sweep, as the definition says, on the same sums.
struct PlainDescent {
  PlainDescent(const OneWindow& window, double lambda, int max_iterations) {
    GramMatrix gram;
    gram.Set(window.sums, lambda);
    const int k = gram.columns;
    const Row* products = window.sums.products(0);
    const double sum = products[0].v[0];
    std::vector<double> xy(kBasis);
    for (int j = 0; j < k; ++j) {
      xy[static_cast<size_t>(j)] = products[j + 1].v[0] - gram.mean[j] * sum;
    }
    const double yy = window.sums.squares(0).v[0] - sum * sum / gram.count;
    const double penalty = lambda * gram.count;
    for (sweeps = 1;; ++sweeps) {
      double most = 0;
      double moved = 0;
      for (int j = 0; j < k; ++j) {
        double z = xy[static_cast<size_t>(j)];
        for (int i = 0; i < k; ++i) {
          if (i != j) z -= gram.product[j][i] * w[i];
        }
        const double x = std::copysign(
            std::max(std::fabs(z) - penalty, 0.0) * gram.inverse[j], z);
        moved = std::max(moved, std::fabs(x - w[j]));
        most = std::max(most, std::fabs(x));
        w[j] = x;
      }
      if (sweeps == max_iterations) return;
      if (most != 0 && moved >= 1e-4 * most) continue;
      double steepest = 0;
      double residual_y = yy;
      double squared = yy;
      double norm = 0;
      for (int j = 0; j < k; ++j) {
        double gradient = xy[static_cast<size_t>(j)];
        for (int i = 0; i < k; ++i) gradient -= gram.product[j][i] * w[i];
        steepest = std::max(steepest, std::fabs(gradient));
        residual_y -= w[j] * xy[static_cast<size_t>(j)];
        squared -= w[j] * (xy[static_cast<size_t>(j)] + gradient);
        norm += std::fabs(w[j]);
      }
      const double shrink = steepest > penalty ? penalty / steepest : 1;
      const double gap = (squared + shrink * shrink * squared) / 2 +
                         penalty * norm - shrink * residual_y;
      if (gap < 1e-4 * yy) return;
    }
  }
  double w[kBasis] = {};
  int sweeps = 0;
};

// Short windows, in which trend and season are nearly the same, and descents
// are long.
TEST(LassoTest, JumpsToTheSweepThatStepsWouldReach) {
  std::mt19937 random(23);
  std::normal_distribution<double> noise(0, 40);
  int long_ones = 0;
  int at_the_cap = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    const int coefficients = 4 + 2 * (trial % 3);
    std::vector<int32_t> days;
    std::vector<double> y;
    int32_t day = 4000 + static_cast<int32_t>(random() % 9000);
    const int n = 18 + static_cast<int>(random() % 12);
    const double trend = noise(random) / 400;
    for (int i = 0; i < n; ++i) {
      day += 8 + 8 * static_cast<int32_t>(random() % 3);
      days.push_back(day);
      y.push_back(2000 + trend * i * 20 + 300 * std::cos(day * 0.0172) +
                  noise(random));
    }
    OneWindow window(days, y);
    window.options.max_iterations = trial % 7 == 0 ? 200 : 1000;
    window.Fit(coefficients);
    const PlainDescent plain(window, 1, window.options.max_iterations);
    EXPECT_EQ(window.sweeps.v[0], plain.sweeps) << "trial " << trial;
    if (plain.sweeps > 80) ++long_ones;
    if (plain.sweeps == window.options.max_iterations) ++at_the_cap;
    for (int j = 0; j + 1 < kBasis; ++j) {
      EXPECT_NEAR(window.Coef(j + 1), plain.w[j], 1e-6) << "trial " << trial;
    }
  }
  EXPECT_GT(long_ones, 100);
  EXPECT_GT(at_the_cap, 5);
}

TEST(LassoTest, LeavesAConstantSeriesAsItIs) {
  std::vector<int32_t> days;
  for (int i = 0; i < 30; ++i) days.push_back(16 * i);
  OneWindow window(days, std::vector<double>(30, 1234));
  window.Fit(8);
  for (int k = 1; k < kBasis; ++k) EXPECT_EQ(window.Coef(k), 0);
  EXPECT_EQ(window.Coef(0), 0) << "less the origin";
  EXPECT_EQ(window.series.origin()[0].v[0], 1234);
  EXPECT_EQ(window.curves.rmse[0].v[0], 0);
}

TEST(LassoTest, ShrinksEverythingAwayUnderAHugePenalty) {
  std::vector<int32_t> days;
  std::vector<double> y;
  for (int i = 0; i < 30; ++i) {
    days.push_back(16 * i);
    y.push_back(1000 + 300 * std::cos(i * 0.275));
  }
  OneWindow window(days, y);
  window.options.lambda = 1e9;
  window.Fit(8);
  for (int k = 1; k < kBasis; ++k) EXPECT_EQ(window.Coef(k), 0);
}

// The subgradient conditions of the optimum, with a tight tolerance.
TEST(LassoTest, ConvergesToTheOptimum) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 30);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<int32_t> days;
    std::vector<double> y;
    for (int i = 0; i < 60; ++i) {
      days.push_back(12000 + 21 * i + static_cast<int>(random() % 9));
      y.push_back(2000 + 0.1 * days.back() +
                  400 * std::cos(days.back() * 0.0172) + noise(random));
    }
    OneWindow window(days, y);
    window.options.tolerance = 1e-13;
    window.options.max_iterations = 100000;
    window.Fit(8);
    Row r;
    std::vector<double> gradient(kBasis, 0);
    double scale = 0;
    for (int i = 0; i < window.series.size(); ++i) {
      Residuals(window.series, window.dates, window.curves, i, &r);
      for (int k = 0; k < kBasis; ++k) {
        gradient[static_cast<size_t>(k)] +=
            window.dates.basis()[i].v[k] * r.v[0];
      }
      scale += std::fabs(window.dates.basis()[i].v[1]);
    }
    const double n = window.series.size();
    EXPECT_NEAR(gradient[0], 0, 1e-6);
    for (int k = 1; k < kBasis; ++k) {
      const double g = gradient[static_cast<size_t>(k)];
      const double slack = k == 1 ? 1e-4 * scale : 1e-3;
      if (window.Coef(k) == 0) {
        EXPECT_LE(std::fabs(g), n + slack);
      } else {
        EXPECT_NEAR(g, std::copysign(n, window.Coef(k)), slack);
      }
    }
  }
}

TEST(LassoTest, GrowingAWindowGivesTheSumsOfTheWhole) {
  std::vector<int32_t> days;
  std::vector<double> y;
  for (int i = 0; i < 80; ++i) {
    days.push_back(9 * i);
    y.push_back(1000 + 7 * ((i * 37) % 50));
  }
  OneWindow window(days, y);
  WindowSums grown;
  grown.Start(window.series, 0, 8);
  for (const int end : {13, 24, 25, 60, 80}) {
    grown.Extend(window.series, window.dates, end);
  }
  WindowSums whole;
  whole.Start(window.series, 0, 8);
  whole.Extend(window.series, window.dates, 80);
  for (int r = 0; r < kBasis; ++r) {
    EXPECT_EQ(grown.products(0)[r].v[0], whole.products(0)[r].v[0]);
    for (int c = 0; c <= r; ++c) {
      EXPECT_EQ(grown.basis()[r].v[c], whole.basis()[r].v[c]);
    }
  }
}

}  // namespace
}  // namespace internode::functions::ccdc
