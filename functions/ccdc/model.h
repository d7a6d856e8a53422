#ifndef INTERNODE_FUNCTIONS_CCDC_MODEL_H_
#define INTERNODE_FUNCTIONS_CCDC_MODEL_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "functions/ccdc/harmonics.h"
#include "functions/ccdc/parameters.h"
#include "functions/ccdc/qa.h"
#include "functions/ccdc/row.h"

namespace internode::functions::ccdc {

// Checked parameters with everything that follows from them alone.
// Immutable; thread-safe.
class Model {
 public:
  static absl::StatusOr<Model> Make(const Parameters& parameters);

  const Parameters& parameters() const { return parameters_; }
  bool pyccd() const { return parameters_.compat == Compat::kPyccd; }

  int bands() const { return bands_; }
  // Bands lie in rows of `groups()` times eight lanes, padded with zeros.
  int groups() const { return groups_; }
  int lanes() const { return groups_ * kLanes; }
  // 1 in the lanes of the detection bands, else 0.
  const std::vector<Row>& detection() const { return detection_; }

  const QaClassifier& qa() const { return qa_; }

  // Smallest span in days of an initial window.
  int min_days() const { return min_days_; }
  // Number of coefficients, the intercept included, that `observations`
  // observations can carry.
  int Coefficients(int observations) const;

  // Look-ahead for kept observations with `median_step` days between them
  // (median of the differences of successive dates).
  int PeekSize(double median_step) const;
  // Chi-square quantile for PeekSize(); `peek` in [peek_size, 16 peek_size].
  double ChangeThreshold(int peek) const;
  double outlier_threshold() const { return outlier_threshold_; }

  // From the phases of the regression (ordinals) to days since 1970-01-01.
  const PhaseShift& phase_of_1970() const { return phase_of_1970_; }

 private:
  explicit Model(const Parameters& parameters);

  Parameters parameters_;
  int bands_;
  int groups_;
  int min_days_;
  std::vector<Row> detection_;
  QaClassifier qa_;
  std::vector<double> change_thresholds_;  // from peek_size on
  double outlier_threshold_ = 0;
  PhaseShift phase_of_1970_;
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_MODEL_H_
