#ifndef INTERNODE_FUNCTIONS_LEAST_SQUARES_H_
#define INTERNODE_FUNCTIONS_LEAST_SQUARES_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace internode::functions {

// Least squares by Householder's QR factorisation (Golub and Van Loan, Matrix
// Computations, algorithms 5.2.1 and 5.3.2): factored once per matrix, solved
// once per right-hand side. Keeps its memory. Thread-compatible.
class LeastSquares {
 public:
  // A column that is, but for this part of its length, a combination of those
  // before it leaves the solution without six valid digits: the matrix counts
  // as rank-deficient.
  static constexpr double kRankTolerance = 1e-10;

  // Room for a matrix of `rows` by `columns`, stored column by column, to be
  // filled in before Factor. Valid until the next Reset.
  absl::Span<double> Reset(size_t rows, size_t columns);

  // Factors the matrix, which is overwritten. False when it has fewer rows than
  // columns or is rank-deficient; Solve must not be called then.
  bool Factor();

  // Finds the x that minimises |A x - y|^2, which it returns. `y` has as many
  // numbers as A has rows, and is overwritten; `x` as many as A has columns.
  double Solve(absl::Span<double> y, absl::Span<double> x) const;

 private:
  const double* Column(size_t j) const { return a_.data() + j * rows_; }
  double* Column(size_t j) { return a_.data() + j * rows_; }
  // Applies reflection `j` to `y`.
  void Reflect(size_t j, double* y) const;

  size_t rows_ = 0;
  size_t columns_ = 0;
  // Below the diagonal of column j: the reflection's vector, whose element at
  // the diagonal is 1. Above it: R.
  std::vector<double> a_;
  // The diagonal of R, and the factors of the reflections.
  std::vector<double> diagonal_;
  std::vector<double> beta_;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_LEAST_SQUARES_H_
