#include "functions/ccdc/median.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace internode::functions::ccdc {
namespace {

// Below this many a partition is as fast as counting.
constexpr size_t kFew = 64;
// From so many on the values of a bin are counted once more.
constexpr size_t kMany = 256;
// Bins of a sixteenth of an octave each, down from the largest value; then of
// a 512th of that, and so on.
constexpr int kBins = 512;
constexpr int kBinBits = 9;
constexpr int kBinShift = 48;

// The bits of numbers from 0 on are in the order of the numbers.
int64_t Bits(double x) { return std::bit_cast<int64_t>(x); }

double MedianByPartition(absl::Span<double> values) {
  const auto middle =
      values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

// The bin of rank `rank` (from 0) is left in `values`; `rank` becomes the rank
// there, and next_below the largest value in lower bins, if there are any.
// Bins count from `lowest`; the first one takes all that is lower.
void SelectBin(absl::Span<double>& values, int shift, int64_t lowest,
               size_t& rank, double& next_below) {
  const auto bin = [shift, lowest](double x) {
    return static_cast<size_t>(
        std::max<int64_t>((Bits(x) >> shift) - lowest, 0));
  };
  int32_t counts[kBins] = {};
  for (const double x : values) ++counts[bin(x)];
  size_t middle = 0;
  while (static_cast<size_t>(counts[middle]) <= rank) {
    rank -= static_cast<size_t>(counts[middle++]);
  }
  // Without a branch: each value goes where the next of the bin belongs.
  size_t here = 0;
  for (const double x : values) {
    const size_t b = bin(x);
    next_below = std::max(next_below, b < middle ? x : 0);
    values[here] = x;
    here += static_cast<size_t>(b == middle);
  }
  values = values.subspan(0, here);
}

}  // namespace

double MedianOf(absl::Span<double> values) {
  if (values.size() < kFew) return MedianByPartition(values);
  double largest = 0;
  int64_t signs = 0;
  for (const double x : values) {
    largest = std::max(largest, x);
    signs |= Bits(x);
  }
  if (signs < 0) return MedianByPartition(values);
  const bool even = values.size() % 2 == 0;
  size_t rank = values.size() / 2;
  double next_below = 0;
  int64_t lowest = (Bits(largest) >> kBinShift) - (kBins - 1);
  SelectBin(values, kBinShift, lowest, rank, next_below);
  // All in the first bin may differ in more bits than the next bins tell.
  const bool same_bin = (Bits(values[0]) >> kBinShift) > lowest;
  for (int shift = kBinShift - kBinBits;
       same_bin && shift >= 0 && values.size() >= kMany; shift -= kBinBits) {
    lowest = Bits(values[0]) >> (shift + kBinBits) << kBinBits;
    SelectBin(values, shift, lowest, rank, next_below);
  }
  const auto place = values.begin() + static_cast<ptrdiff_t>(rank);
  std::nth_element(values.begin(), place, values.end());
  if (!even) return *place;
  if (rank > 0) next_below = *std::max_element(values.begin(), place);
  return (next_below + *place) / 2;
}

}  // namespace internode::functions::ccdc
