#include "functions/ccdc/tmask.h"

#include <algorithm>
#include <cmath>

namespace internode::functions::ccdc {
namespace {

constexpr int kMaxColumns = 5;
constexpr double kEpsilon = 2.220446049250313e-16;

struct Fit {
  double b[kMaxColumns];
};

struct Normal {
  double a[kMaxColumns][kMaxColumns];
  double y[kMaxColumns];
};

// LDL' in place; singular directions get a zero pivot inverse.
struct Factor {
  double l[kMaxColumns][kMaxColumns];
  double inverse[kMaxColumns];
  int columns;

  void Set(const Normal& n, int k) {
    columns = k;
    double d[kMaxColumns];
    for (int i = 0; i < k; ++i) {
      for (int j = 0; j < i; ++j) {
        double s = n.a[i][j];
        for (int m = 0; m < j; ++m) s -= l[i][m] * d[m] * l[j][m];
        l[i][j] = s * inverse[j];
      }
      double s = n.a[i][i];
      for (int m = 0; m < i; ++m) s -= l[i][m] * d[m] * l[i][m];
      const bool singular = !(s > 1e-13 * n.a[i][i]);
      d[i] = singular ? 0 : s;
      inverse[i] = singular ? 0 : 1 / s;
    }
  }

  Fit Solve(const double* y) const {
    Fit f{};
    for (int i = 0; i < columns; ++i) {
      double s = y[i];
      for (int m = 0; m < i; ++m) s -= l[i][m] * f.b[m];
      f.b[i] = s;
    }
    for (int i = columns - 1; i >= 0; --i) {
      double s = f.b[i] * inverse[i];
      for (int m = i + 1; m < columns; ++m) s -= l[m][i] * f.b[m];
      f.b[i] = inverse[i] == 0 ? 0 : s;
    }
    return f;
  }

  double Leverage(const double* x) const {
    double z[kMaxColumns];
    double h = 0;
    for (int i = 0; i < columns; ++i) {
      double s = x[i];
      for (int m = 0; m < i; ++m) s -= l[i][m] * z[m];
      z[i] = s;
      h += s * s * inverse[i];
    }
    return h;
  }
};

double Mad(std::vector<double>& r) {
  for (double& x : r) x = std::fabs(x);
  std::sort(r.begin(), r.end());
  const size_t n = r.size() - 4;
  const double median =
      n % 2 == 1 ? r[4 + n / 2] : (r[4 + n / 2 - 1] + r[4 + n / 2]) / 2;
  return median / 0.6745;
}

}  // namespace

int FindOutliers(const Model& model, const DateTable& dates,
                 const Series& series, const Row* variogram, int begin, int end,
                 TmaskSpace& space) {
  const int m = end - begin;
  space.outlier.assign(static_cast<size_t>(m), 0);
  const double span = series.day(end - 1) - series.day(begin);
  const int years = std::max(
      1, static_cast<int>(std::ceil(span / model.parameters().year_length)));
  const int k = years == 1 ? 3 : 5;
  std::vector<double> x(static_cast<size_t>(m * 5));
  for (int i = 0; i < m; ++i) {
    const double* b = dates.basis()[series.date(begin + i)].v;
    double* o = &x[static_cast<size_t>(i * 5)];
    o[0] = 1;
    o[1] = b[2];
    o[2] = b[3];
    const CosSin slow = dates.Slow(years, series.date(begin + i));
    o[3] = slow.cos;
    o[4] = slow.sin;
  }
  const auto row = [&x](int i) { return &x[static_cast<size_t>(i * 5)]; };
  for (const int band : model.parameters().tmask_bands) {
    std::vector<double> y;
    for (int i = begin; i < end; ++i) y.push_back(series.value(i, band));
    const auto solve = [&](const std::vector<double>& w, Factor& f) {
      Normal n{};
      for (int i = 0; i < m; ++i) {
        for (int p = 0; p < k; ++p) {
          const double wx = w[i] * row(i)[p];
          for (int q = 0; q <= p; ++q) n.a[p][q] += wx * row(i)[q];
          n.y[p] += wx * y[i];
        }
      }
      f.Set(n, k);
      return f.Solve(n.y);
    };
    const auto residuals = [&](const Fit& f) {
      std::vector<double> r(y);
      for (int i = 0; i < m; ++i) {
        double s = 0;
        for (int p = 0; p < k; ++p) s += row(i)[p] * f.b[p];
        r[i] -= s;
      }
      return r;
    };
    std::vector<double> w(static_cast<size_t>(m), 1.0);
    Factor f;
    Fit b = solve(w, f);
    std::vector<double> r = residuals(b);
    std::vector<double> sorted = r;
    double s = Mad(sorted);
    if (s >= kEpsilon) {
      std::vector<double> lever(static_cast<size_t>(m));
      for (int i = 0; i < m; ++i) {
        lever[i] = 1 / std::sqrt(1 - std::min(0.9999, f.Leverage(row(i))));
      }
      double mean = 0;
      for (double v : y) mean += v;
      mean /= m;
      double var = 0;
      for (double v : y) var += (v - mean) * (v - mean);
      const double floor = kEpsilon * std::sqrt(var / m);
      for (int pass = 0; pass < 4; ++pass) {
        r = residuals(b);
        for (int i = 0; i < m; ++i) r[i] *= lever[i];
        sorted = r;
        s = std::max(floor, Mad(sorted));
        for (int i = 0; i < m; ++i) {
          const double u = r[i] / s / 4.685;
          w[i] = std::fabs(u) < 1 ? (1 - u * u) * (1 - u * u) : 0;
        }
        Factor wf;
        const Fit next = solve(w, wf);
        bool rose = false;
        for (int p = 0; p < k; ++p) rose |= next.b[p] - b.b[p] > 1e-8;
        b = next;
        if (!rose) break;
      }
    }
    r = residuals(b);
    const double limit = variogram[band / kLanes].v[band % kLanes] *
                         model.parameters().tmask_factor;
    for (int i = 0; i < m; ++i) {
      if (std::fabs(r[i]) > limit) space.outlier[i] = 1;
    }
  }
  return static_cast<int>(
      std::count(space.outlier.begin(), space.outlier.end(), 1));
}

}  // namespace internode::functions::ccdc
