#ifndef INTERNODE_FUNCTIONS_CCDC_QA_H_
#define INTERNODE_FUNCTIONS_CCDC_QA_H_

#include <cstdint>
#include <vector>

#include "functions/ccdc/parameters.h"

namespace internode::functions::ccdc {

// What a quality code says. kOther is neither fill nor anything usable;
// kUnsupported makes the pixel fail.
enum class QaClass : uint8_t {
  kClear = 0,
  kWater,
  kShadow,
  kSnow,
  kCloud,
  kFill,
  kOther,
  kUnsupported,
};
inline constexpr int kQaClasses = 8;

// Maps quality codes to classes. Immutable; thread-safe.
class QaClassifier {
 public:
  QaClassifier(QaEncoding encoding, const QaValues& values, Compat compat);

  QaClass Classify(int64_t code) const {
    return code >= 0 && code < static_cast<int64_t>(table_.size())
               ? table_[static_cast<size_t>(code)]
               : Evaluate(code);
  }

 private:
  QaClass Evaluate(int64_t code) const;

  QaEncoding encoding_;
  QaValues values_;
  Compat compat_;
  std::vector<QaClass> table_;  // of the codes of 16 bits
};

// Shares of the classes among all observations, before any filter.
struct QaSummary {
  int clear = 0;  // clear or water
  int water = 0;
  int snow = 0;
  int cloud = 0;
  int total = 0;  // all but fill

  // counts[c] observations are of class c.
  static QaSummary FromCounts(const int (&counts)[kQaClasses]);

  double CloudProbability() const;  // NaN without any observation
  double SnowProbability() const;
  double WaterProbability() const;
  double ClearFraction() const;  // NaN without any observation
};

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_QA_H_
