#include "functions/ccdc/qa.h"

#include <algorithm>
#include <limits>

namespace internode::functions::ccdc {
namespace {

bool Bit(int64_t code, int bit) { return ((code >> bit) & 1) != 0; }

bool Contains(const std::vector<int64_t>& codes, int64_t code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

QaClass Coded(int64_t code, const QaValues& values) {
  if (Contains(values.fill, code)) return QaClass::kFill;
  if (Contains(values.clear, code)) return QaClass::kClear;
  if (Contains(values.water, code)) return QaClass::kWater;
  if (Contains(values.shadow, code)) return QaClass::kShadow;
  if (Contains(values.snow, code)) return QaClass::kSnow;
  if (Contains(values.cloud, code)) return QaClass::kCloud;
  return QaClass::kOther;
}

// The first class that applies counts. Confident cirrus alone and terrain
// occlusion alone pass as clear, as in pyccd.
QaClass LandsatArd(int64_t code, Compat compat) {
  if (Bit(code, 0)) return QaClass::kFill;
  if (Bit(code, 5)) return QaClass::kCloud;
  if (Bit(code, 3)) return QaClass::kShadow;
  if (Bit(code, 4)) return QaClass::kSnow;
  if (Bit(code, 2)) return QaClass::kWater;
  if (Bit(code, 1)) return QaClass::kClear;
  if (Bit(code, 8) && Bit(code, 9)) return QaClass::kClear;
  if (Bit(code, 10)) return QaClass::kClear;
  return compat == Compat::kPyccd ? QaClass::kUnsupported : QaClass::kOther;
}

QaClass LandsatC2(int64_t code) {
  if (Bit(code, 0)) return QaClass::kFill;
  if (Bit(code, 3) || Bit(code, 1) || Bit(code, 2)) return QaClass::kCloud;
  if (Bit(code, 4)) return QaClass::kShadow;
  if (Bit(code, 5)) return QaClass::kSnow;
  if (Bit(code, 7)) return QaClass::kWater;
  if (Bit(code, 6)) return QaClass::kClear;
  return QaClass::kOther;
}

}  // namespace

QaClassifier::QaClassifier(QaEncoding encoding, const QaValues& values,
                           Compat compat)
    : encoding_(encoding), values_(values), compat_(compat) {
  constexpr int kCodes = 1 << 16;
  table_.reserve(kCodes);
  for (int64_t code = 0; code < kCodes; ++code) {
    table_.push_back(Evaluate(code));
  }
}

QaClass QaClassifier::Evaluate(int64_t code) const {
  switch (encoding_) {
    case QaEncoding::kCfmask:
      return Coded(code, values_);
    case QaEncoding::kLandsatArd:
      return LandsatArd(code, compat_);
    case QaEncoding::kLandsatC2:
      return LandsatC2(code);
    case QaEncoding::kClearMask:
      return code != 0 ? QaClass::kClear : QaClass::kOther;
    case QaEncoding::kNone:
      return QaClass::kClear;
  }
  return QaClass::kOther;
}

QaSummary QaSummary::FromCounts(const int (&counts)[kQaClasses]) {
  const auto count = [&counts](QaClass c) {
    return counts[static_cast<size_t>(c)];
  };
  QaSummary summary;
  summary.water = count(QaClass::kWater);
  summary.clear = count(QaClass::kClear) + summary.water;
  summary.snow = count(QaClass::kSnow);
  summary.cloud = count(QaClass::kCloud);
  for (int c = 0; c < kQaClasses; ++c) summary.total += counts[c];
  summary.total -= count(QaClass::kFill);
  return summary;
}

double QaSummary::CloudProbability() const {
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(cloud) / total;
}

double QaSummary::SnowProbability() const {
  return snow / (clear + snow + 0.01);
}

double QaSummary::WaterProbability() const { return water / (clear + 0.01); }

double QaSummary::ClearFraction() const {
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(clear) / total;
}

}  // namespace internode::functions::ccdc
