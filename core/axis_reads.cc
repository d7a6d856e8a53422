#include "core/axis_reads.h"

#include <algorithm>
#include <utility>

namespace internode::core {
namespace {

struct Bezout {
  int64_t gcd = 0;
  // a * factor = gcd, modulo b.
  int64_t factor = 0;
};

Bezout ExtendedGcd(int64_t a, int64_t b) {
  int64_t previous_factor = 1;
  int64_t factor = 0;
  while (b != 0) {
    const int64_t quotient = a / b;
    a = std::exchange(b, a % b);
    previous_factor =
        std::exchange(factor, previous_factor - quotient * factor);
  }
  return {a, previous_factor};
}

// How many i of 1 ... count have origin + i * step = 0, modulo `modulus`.
int64_t CountMultiples(int64_t origin, int64_t step, int64_t count,
                       int64_t modulus) {
  const Bezout bezout = ExtendedGcd(step % modulus, modulus);
  if (origin % bezout.gcd != 0) return 0;
  // i has to be this number, modulo the period.
  const int64_t period = modulus / bezout.gcd;
  const int64_t wanted = (period - origin / bezout.gcd % period) % period;
  int64_t inverse = bezout.factor % period;
  if (inverse < 0) inverse += period;
  const auto first =
      static_cast<int64_t>(static_cast<__int128>(wanted) * inverse % period);
  // 0 is not counted, but all its other multiples are.
  if (first == 0) return count / period;
  return count >= first ? (count - first) / period + 1 : 0;
}

}  // namespace

AxisReads CountAxisReads(const DimensionCut& cut, int64_t storage_chunk) {
  if (cut.end <= cut.begin) return {};
  AxisReads axis;
  axis.tasks = (cut.end - 1 - cut.origin) / cut.chunk + 1;
  axis.chunks = (cut.end - 1) / storage_chunk - cut.begin / storage_chunk + 1;
  const int64_t boundaries = axis.tasks - 1;
  axis.reads = axis.chunks + boundaries -
               CountMultiples(cut.origin, cut.chunk, boundaries, storage_chunk);
  return axis;
}

}  // namespace internode::core
