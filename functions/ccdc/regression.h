#ifndef INTERNODE_FUNCTIONS_CCDC_REGRESSION_H_
#define INTERNODE_FUNCTIONS_CCDC_REGRESSION_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/row.h"
#include "functions/ccdc/series.h"

namespace internode::functions::ccdc {

// Sums of products over a window [begin, end) of a series, from which the
// regression is solved: of the first `columns` basis functions with one
// another, and with the bands. All in fixed order of observations, so that
// growing a window gives the sums of the whole.
class WindowSums {
 public:
  // Starts an empty window at `begin`.
  void Start(const Series& series, int begin, int columns);
  // Takes [end(), end) in.
  void Extend(const Series& series, const DateTable& dates, int end);

  int begin() const { return begin_; }
  int end() const { return end_; }
  int count() const { return end_ - begin_; }
  int columns() const { return columns_; }

  // basis()[i].v[j], j <= i < columns(): sum of b_i b_j.
  const Row* basis() const { return basis_; }
  // products(g)[i]: sum of b_i y, for the bands of group g; of i = 0, sum of y.
  const Row* products(int group) const {
    return products_.data() + static_cast<int64_t>(group) * kBasis;
  }
  // Sum of y y for the bands of a group.
  const Row& squares(int group) const {
    return squares_[static_cast<size_t>(group)];
  }

 private:
  int begin_ = 0;
  int end_ = 0;
  int columns_ = 4;
  Row basis_[kBasis];
  std::vector<Row> products_;
  std::vector<Row> squares_;
};

// The curves of all bands: a constant and seven coefficients each, for the
// basis functions and the origin of the series.
struct Curves {
  int coefficients = 0;      // 4, 6 or 8 were fitted, the others are 0
  std::vector<Row> weights;  // (group, basis function)
  std::vector<Row> rmse;     // (group)

  void Resize(int groups) {
    weights.resize(static_cast<size_t>(groups) * kBasis);
    rmse.resize(static_cast<size_t>(groups));
  }
  const Row* group(int g) const {
    return weights.data() + static_cast<int64_t>(g) * kBasis;
  }
};

// Sums of squared residuals of [begin, end), `series.groups()` rows.
void ResidualSquares(const Series& series, const DateTable& dates,
                     const Curves& curves, int begin, int end, Row* out);

// The same for single dates, `count` of them: the sum in `sum`, and the
// smallest and largest square in `least` and `most` (infinity and 0 without
// any).
void ResidualSquaresOf(const Series& series, const DateTable& dates,
                       const Curves& curves, const int32_t* chosen, int count,
                       Row* sum, Row* least, Row* most);

// Observed less predicted values of observation i, `series.groups()` rows.
void Residuals(const Series& series, const DateTable& dates,
               const Curves& curves, int i, Row* out);

// The sum over the bands of (residual * scale)^2 of observation i, where
// `scale` has `series.groups()` rows that are 0 for the bands to leave out.
// NaN if 0 meets infinity in a band of which `used` is not 0.
double Score(const Series& series, const DateTable& dates, const Curves& curves,
             int i, const Row* scale, const Row* used);

// Score() of [begin, end), the same to the last bit, into `out`.
void Scores(const Series& series, const DateTable& dates, const Curves& curves,
            int begin, int end, const Row* scale, const Row* used, double* out);

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_REGRESSION_H_
