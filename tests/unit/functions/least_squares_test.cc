#include "functions/least_squares.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace internode::functions {
namespace {

// Fills `to` with the columns one after the other.
void FillColumns(const std::vector<std::vector<double>>& columns,
                 absl::Span<double> to) {
  size_t i = 0;
  for (const std::vector<double>& column : columns) {
    for (const double value : column) to[i++] = value;
  }
}

TEST(LeastSquaresTest, SolvesASmallProblemExactly) {
  LeastSquares fit;
  FillColumns({{1, 1, 1}, {0, 1, 2}}, fit.Reset(3, 2));
  ASSERT_TRUE(fit.Factor());
  std::vector<double> y = {6, 0, 0};
  std::vector<double> x(2);
  const double rss = fit.Solve(absl::MakeSpan(y), absl::MakeSpan(x));
  EXPECT_NEAR(x[0], 5, 1e-14);
  EXPECT_NEAR(x[1], -3, 1e-14);
  EXPECT_NEAR(rss, 6, 1e-13);
}

// The residual of a least-squares solution is orthogonal to every column.
TEST(LeastSquaresTest, ResidualsAreOrthogonal) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  LeastSquares fit;
  for (const size_t n : {size_t{4}, size_t{7}, size_t{50}, size_t{333}}) {
    std::vector<std::vector<double>> columns(4, std::vector<double>(n));
    for (auto& column : columns) {
      for (double& value : column) value = normal(random);
    }
    std::vector<double> y(n);
    for (double& value : y) value = normal(random);
    FillColumns(columns, fit.Reset(n, 4));
    ASSERT_TRUE(fit.Factor());
    std::vector<double> work = y;
    std::vector<double> x(4);
    const double rss = fit.Solve(absl::MakeSpan(work), absl::MakeSpan(x));
    double sum = 0;
    std::vector<double> dots(4, 0);
    for (size_t i = 0; i < n; ++i) {
      double r = y[i];
      for (size_t j = 0; j < 4; ++j) r -= columns[j][i] * x[j];
      sum += r * r;
      for (size_t j = 0; j < 4; ++j) dots[j] += columns[j][i] * r;
    }
    EXPECT_NEAR(rss, sum, 1e-12 * static_cast<double>(n));
    for (const double dot : dots) EXPECT_NEAR(dot, 0, 1e-11);
  }
}

TEST(LeastSquaresTest, RefusesDeficientMatrices) {
  LeastSquares fit;
  FillColumns({{1}, {2}}, fit.Reset(1, 2));
  EXPECT_FALSE(fit.Factor()) << "fewer rows than columns";
  FillColumns({{1, 1, 1}, {2, 2, 2}}, fit.Reset(3, 2));
  EXPECT_FALSE(fit.Factor()) << "dependent columns";
  FillColumns({{1, 1, 1}, {0, 0, 0}}, fit.Reset(3, 2));
  EXPECT_FALSE(fit.Factor()) << "a column of zeros";
  FillColumns({{1, 1, 1}, {1, 2, std::nan("")}}, fit.Reset(3, 2));
  EXPECT_FALSE(fit.Factor()) << "not a number";
}

}  // namespace
}  // namespace internode::functions
