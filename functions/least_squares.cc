#include "functions/least_squares.h"

#include <cmath>

namespace internode::functions {
namespace {

// Four running sums, which a compiler may keep in vector registers without
// changing the order of the additions.
double Dot(const double* a, const double* b, size_t n) {
  double sums[4] = {0, 0, 0, 0};
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  }
  double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void AddScaled(double factor, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

}  // namespace

absl::Span<double> LeastSquares::Reset(size_t rows, size_t columns) {
  rows_ = rows;
  columns_ = columns;
  if (a_.size() < rows * columns) a_.resize(rows * columns);
  diagonal_.resize(columns);
  beta_.resize(columns);
  return absl::MakeSpan(a_.data(), rows * columns);
}

void LeastSquares::Reflect(size_t j, double* y) const {
  const size_t below = rows_ - j - 1;
  const double* v = Column(j) + j + 1;
  const double s = beta_[j] * (y[j] + Dot(v, y + j + 1, below));
  y[j] -= s;
  AddScaled(-s, v, y + j + 1, below);
}

bool LeastSquares::Factor() {
  if (rows_ < columns_) return false;
  for (size_t j = 0; j < columns_; ++j) {
    double* column = Column(j);
    const double length = std::sqrt(Dot(column, column, rows_));
    for (size_t i = 0; i < j; ++i) Reflect(i, column);
    const size_t below = rows_ - j - 1;
    double* v = column + j + 1;
    const double rest = Dot(v, v, below);
    const double x = column[j];
    const double r = std::sqrt(x * x + rest);
    // Not `r <= …`, which lets NaN pass.
    if (!(r > kRankTolerance * length)) return false;
    // The sign that avoids cancellation.
    diagonal_[j] = x > 0 ? -r : r;
    const double head = x - diagonal_[j];
    for (size_t i = 0; i < below; ++i) v[i] /= head;
    beta_[j] = 2 / (1 + rest / (head * head));
  }
  return true;
}

double LeastSquares::Solve(absl::Span<double> y, absl::Span<double> x) const {
  for (size_t j = 0; j < columns_; ++j) Reflect(j, y.data());
  for (size_t j = columns_; j-- > 0;) {
    double sum = y[j];
    for (size_t k = j + 1; k < columns_; ++k) sum -= Column(k)[j] * x[k];
    x[j] = sum / diagonal_[j];
  }
  const double* tail = y.data() + columns_;
  return Dot(tail, tail, rows_ - columns_);
}

}  // namespace internode::functions
