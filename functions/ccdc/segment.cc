#include "functions/ccdc/segment.h"

#include <cmath>

namespace internode::functions::ccdc {

void SegmentList::Reset(const Model& model) {
  bands_ = model.bands();
  finite_ = true;
  segments_.clear();
  coefs_.clear();
  rmse_.clear();
  magnitude_.clear();
}

void SegmentList::Add(const Model& model, const DateTable& dates,
                      const Series& series, const Segment& segment,
                      const Curves& curves, const Row* magnitude) {
  segments_.push_back(segment);
  for (int band = 0; band < bands_; ++band) {
    const int group = band / kLanes;
    const int lane = band % kLanes;
    const Row* weights = curves.group(group);
    double coefs[kBasis];
    for (int k = 0; k < kBasis; ++k) coefs[k] = weights[k].v[lane];
    coefs[0] +=
        series.origin()[group].v[lane] - coefs[1] * dates.reference_day();
    model.phase_of_1970().Apply(coefs);
    double sum = curves.rmse[static_cast<size_t>(group)].v[lane];
    for (const double coef : coefs) sum += coef;
    finite_ = finite_ && std::isfinite(sum);
    coefs_.insert(coefs_.end(), coefs, coefs + kBasis);
    rmse_.push_back(curves.rmse[static_cast<size_t>(group)].v[lane]);
    magnitude_.push_back(magnitude == nullptr ? 0 : magnitude[group].v[lane]);
  }
}

}  // namespace internode::functions::ccdc
