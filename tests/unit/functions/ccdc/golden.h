#ifndef INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_GOLDEN_H_
#define INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_GOLDEN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "functions/ccdc/date_table.h"
#include "functions/ccdc/model.h"
#include "functions/ccdc/pixel_input.h"

// The reference results of ../shared/data/ccdc-golden (README.md there), read
// with the HDF5 C library.

namespace internode::functions::ccdc::testing {

inline constexpr int kGoldenBands = 7;

// A dataset as a flat array; empty if it is missing.
std::vector<double> ReadNumbers(const std::string& path,
                                const std::string& name);
std::vector<std::string> ReadStrings(const std::string& path,
                                     const std::string& name);

enum GoldenFlag : unsigned {
  kRounding = 1,
  kTmask365 = 2,
  kDateTies = 4,
  kDoyTies = 8,
  kInt16Wrap = 16,
  kConvergence = 32,
  kException = 64,
  kRcond = 128,
  kMaxIter = 256,
  kZeroVario = 512,
  kNotJudged = 0x28f,
};

std::string FlagNames(unsigned flags);

struct GoldenSegment {
  int start_day = 0;  // proleptic ordinals, as everything here
  int end_day = 0;
  int break_day = 0;
  int observation_count = 0;
  int curve_qa = 0;
  double change_probability = 0;
  double magnitude[kGoldenBands];
  double rmse[kGoldenBands];
  double intercept[kGoldenBands];
  double coefficients[kGoldenBands][7];
};

struct GoldenPixel {
  std::string name;
  std::string error;
  unsigned flags = 0;
  bool bitpacked = false;
  bool raised = false;
  std::vector<int32_t> ordinals;  // as given
  std::vector<int16_t> spectra;   // (band, date)
  std::vector<uint16_t> qa;
  std::vector<int> mask;  // sorted by date
  double cloud = 0;
  double snow = 0;
  double water = 0;
  std::vector<GoldenSegment> segments;

  bool judged() const { return (flags & kNotJudged) == 0; }
  std::vector<int32_t> Days() const;  // since 1970-01-01
  std::vector<BandSeries> Bands() const;
  BandSeries Qa() const { return {qa.data(), ElementType::kUint16}; }
};

// All pixels of one file, e.g. "dev/real.h5".
std::vector<GoldenPixel> ReadGolden(const std::string& path);

// The parameters of the reference for seven Landsat bands.
Parameters GoldenParameters(bool bitpacked);

}  // namespace internode::functions::ccdc::testing

#endif  // INTERNODE_TESTS_UNIT_FUNCTIONS_CCDC_GOLDEN_H_
