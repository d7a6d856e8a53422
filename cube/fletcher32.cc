#include "cube/fletcher32.h"

#include <algorithm>

namespace internode::cube {
namespace {

// After so many words the sums, from two of 17 bits, still fit into 64 bits.
constexpr size_t kWords = size_t{1} << 20;

uint64_t Fold(uint64_t sum) { return (sum & 0xffff) + (sum >> 16); }

// To 16 bits; only a sum of zeros becomes 0.
uint32_t FoldWhole(uint64_t sum) {
  while (sum > 0xffff) sum = Fold(sum);
  return static_cast<uint32_t>(sum);
}

}  // namespace

uint32_t Fletcher32(absl::Span<const std::byte> bytes) {
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t words = bytes.size() / 2;
  uint64_t sum1 = 0;
  uint64_t sum2 = 0;
  while (words > 0) {
    const size_t some = std::min(words, kWords);
    for (size_t i = 0; i < some; ++i, at += 2) {
      sum1 += static_cast<uint32_t>(at[0] << 8 | at[1]);
      sum2 += sum1;
    }
    sum1 = FoldWhole(sum1);
    sum2 = FoldWhole(sum2);
    words -= some;
  }
  if (bytes.size() % 2 == 1) {
    sum1 += static_cast<uint32_t>(at[0] << 8);
    sum2 += sum1;
  }
  return FoldWhole(sum2) << 16 | FoldWhole(sum1);
}

bool IsFletcher32(absl::Span<const std::byte> bytes, uint32_t stored) {
  const uint32_t sum = Fletcher32(bytes);
  const uint32_t exchanged = (sum & 0x00ff00ff) << 8 | (sum >> 8 & 0x00ff00ff);
  return stored == sum || stored == exchanged;
}

}  // namespace internode::cube
