#include "functions/ccdc/median.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace internode::functions::ccdc {
namespace {

// Below this many a partition is as fast as counting.
constexpr size_t kFew = 64;
// Bins of a sixteenth of an octave each, down from the largest value.
constexpr int kBins = 512;
constexpr int kBinShift = 48;

int64_t BinOf(double x) {
  return static_cast<int64_t>(std::bit_cast<uint64_t>(x) >> kBinShift);
}

double MedianByPartition(absl::Span<double> values) {
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace

double MedianOf(absl::Span<double> values) {
  if (values.size() < kFew) return MedianByPartition(values);
  double largest = 0;
  uint64_t signs = 0;
  for (const double x : values) {
    largest = std::max(largest, x);
    signs |= std::bit_cast<uint64_t>(x);
  }
  if (signs >> 63 != 0) return MedianByPartition(values);
  // The bits of numbers from 0 on are in the order of the numbers. The lowest
  // bin takes all that is lower.
  const int64_t lowest = BinOf(largest) - (kBins - 1);
  const auto bin = [lowest](double x) {
    return static_cast<size_t>(std::max<int64_t>(BinOf(x) - lowest, 0));
  };
  int32_t counts[kBins] = {};
  for (const double x : values) ++counts[bin(x)];
  const size_t rank = values.size() / 2;
  size_t middle = 0;
  size_t below = 0;
  while (below + static_cast<size_t>(counts[middle]) <= rank) {
    below += static_cast<size_t>(counts[middle++]);
  }
  // The values of the middle bin move to the front.
  double next_below = 0;
  size_t here = 0;
  for (double& x : values) {
    const double value = x;
    const size_t b = bin(value);
    next_below = std::max(next_below, b < middle ? value : 0);
    std::swap(values[here], x);
    here += static_cast<size_t>(b == middle);
  }
  const auto place = values.begin() + static_cast<ptrdiff_t>(rank - below);
  std::nth_element(values.begin(), place,
                   values.begin() + static_cast<ptrdiff_t>(here));
  if (values.size() % 2 == 1) return *place;
  if (rank > below) next_below = *std::max_element(values.begin(), place);
  return (next_below + *place) / 2;
}

}  // namespace internode::functions::ccdc
