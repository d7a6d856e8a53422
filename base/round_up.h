#ifndef INTERNODE_BASE_ROUND_UP_H_
#define INTERNODE_BASE_ROUND_UP_H_

#include <cstdint>

namespace internode {

// The first multiple of `unit` (at least 1) from `n` (at least 0) on, which has
// to be below 2^63.
constexpr int64_t RoundUp(int64_t n, int64_t unit) {
  const int64_t over = n % unit;
  return over == 0 ? n : n + (unit - over);
}

}  // namespace internode

#endif  // INTERNODE_BASE_ROUND_UP_H_
