// CCDC on arbitrary dates, bands, quality codes and parameters: no crash, no
// endless loop, no record out of range.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "functions/ccdc/detect.h"
#include "tests/unit/functions/ccdc/invariants.h"

namespace {

namespace ccdc = internode::functions::ccdc;

// Reads numbers off the input; zeros when it is used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  template <typename T>
  T Take() {
    T value{};
    const size_t n = sizeof(T) < size_ ? sizeof(T) : size_;
    std::memcpy(&value, data_, n);
    data_ += n;
    size_ -= n;
    return value;
  }
  int Below(int n) { return Take<uint16_t>() % n; }
  bool Flip() { return (Take<uint8_t>() & 1) != 0; }
  size_t left() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_;
};

ccdc::Parameters TakeParameters(Input& in) {
  ccdc::Parameters p;
  const int bands = 1 + in.Below(12);
  p.bands.resize(static_cast<size_t>(bands));
  for (int b = 0; b < bands; ++b) {
    if (in.Flip() || b == 0) p.detection_bands.push_back(b);
    if (in.Below(3) == 0) p.tmask_bands.push_back(b);
  }
  if (in.Flip()) p.thermal_band = in.Below(bands);
  if (in.Flip()) p.green_band = in.Below(bands);
  p.qa_encoding = static_cast<ccdc::QaEncoding>(in.Below(5));
  p.compat = in.Flip() ? ccdc::Compat::kPyccd : ccdc::Compat::kNone;
  p.meow_size = 6 + in.Below(30);
  p.peek_size = 2 + in.Below(20);
  p.max_coefficients = 4 + 2 * in.Below(3);
  p.observations_per_coefficient = 2 + in.Below(5);
  p.max_iterations = 1 + in.Below(1000);
  p.min_years = 0.1 + in.Below(40) / 10.0;
  p.year_length = in.Flip() ? 365.2425 : 1 + in.Below(1000);
  p.change_probability = (1 + in.Below(999)) / 1001.0;
  p.outlier_probability = (1 + in.Below(999)) / 1001.0;
  p.lambda = in.Below(1000) / 10.0;
  p.refit_factor = 1 + in.Below(100) / 50.0;
  p.tmask_factor = in.Below(100) / 10.0;
  p.clear_fraction = in.Below(11) / 10.0;
  p.snow_fraction = in.Below(11) / 10.0;
  p.variogram_lag_days = in.Below(100);
  if (in.Flip()) {
    // Any finite or other value.
    p.bands[0].valid_min = -1e308;
    p.bands[0].valid_max = 1e308;
  }
  return p;
}

// Days that are wild now and then.
std::vector<int32_t> TakeDays(Input& in, size_t n) {
  std::vector<int32_t> days;
  int32_t day = in.Below(40000) - 20000;
  for (size_t i = 0; i < n; ++i) {
    const int step = in.Take<uint8_t>();
    if (step == 255) {
      day = in.Take<int32_t>() % ccdc::DateTable::kMaxDay;
    } else {
      day += step % 32;
    }
    if (day > ccdc::DateTable::kMaxDay) day = 0;
    days.push_back(day);
  }
  return days;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  const ccdc::Parameters parameters = TakeParameters(in);
  const auto model = ccdc::Model::Make(parameters);
  if (!model.ok()) return 0;
  const auto bands = parameters.bands.size();
  const size_t n = in.left() / (2 + 2 * bands);
  if (n > 600) return 0;
  const auto dates = ccdc::DateTable::Make(*model, TakeDays(in, n));
  if (!dates.ok()) return 0;
  std::vector<uint8_t> qa(n);
  for (uint8_t& code : qa) {
    code = in.Take<uint8_t>();
    if (code > 64 && in.left() % 4 != 0) code %= 8;
  }
  std::vector<double> wild(n);
  std::vector<std::vector<int16_t>> values(bands, std::vector<int16_t>(n));
  std::vector<ccdc::BandSeries> series;
  for (size_t b = 0; b < bands; ++b) {
    for (size_t i = 0; i < n; ++i) {
      if (b == 0) wild[i] = in.Take<double>();
      if (b > 0) values[b][i] = static_cast<int16_t>(in.Take<int16_t>() & 8191);
    }
    series.push_back({values[b].data(), ccdc::ElementType::kInt16});
  }
  series[0] = {wild.data(), ccdc::ElementType::kFloat64};
  ccdc::Workspace workspace;
  ccdc::DetectSegments(*model, *dates,
                       {series, {qa.data(), ccdc::ElementType::kUint8}},
                       workspace);
  const std::string broken =
      ccdc::testing::BrokenInvariant(*model, *dates, workspace);
  if (!broken.empty()) {
    std::fprintf(stderr, "%s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
