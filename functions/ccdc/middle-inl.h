// The value of a given rank among few.
//
// Included once per target (highway's foreach_target).

#if defined(INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_
#undef INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_
#else
#define INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_
#endif

#include <bit>
#include <cstdint>

#include "functions/ccdc/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Ranks are found by counting, for each value, how many are below: as many
// operations as pairs, but none that waits for another, and no branch. Values
// are counted rounded to single precision, which keeps their order.
using Keys = hn::CappedTag<float, 8>;
inline constexpr int kKeysAtOnce =
    static_cast<int>(HWY_MIN(HWY_LANES(float), 8));
inline constexpr int kMostKeys = 128;

// The largest keys of which at most `rank`, and `rank` + 1, are below.
struct RankedKeys {
  hn::Vec<Keys> at;
  hn::Vec<Keys> next;
};

template <int kVectors>
HWY_INLINE void RankKeys(const float* keys, int first, int count, int rank,
                         RankedKeys& best) {
  const Keys d;
  const hn::RebindToSigned<Keys> di;
  hn::Vec<Keys> key[kVectors];
  hn::Vec<hn::RebindToSigned<Keys>> below[kVectors];
  INTERNODE_UNROLL
  for (int i = 0; i < kVectors; ++i) {
    key[i] = hn::LoadU(d, keys + first + i * kKeysAtOnce);
    below[i] = hn::Zero(di);
  }
  for (int j = 0; j < count; ++j) {
    const auto other = hn::Set(d, keys[j]);
    INTERNODE_UNROLL
    for (int i = 0; i < kVectors; ++i) {
      const auto less = hn::RebindMask(di, hn::Lt(other, key[i]));
      below[i] = hn::Sub(below[i], hn::VecFromMask(di, less));
    }
  }
  const auto none = hn::Set(d, -1.0f);
  const auto limit = hn::Set(di, rank);
  const auto limit_next = hn::Set(di, rank + 1);
  INTERNODE_UNROLL
  for (int i = 0; i < kVectors; ++i) {
    const auto low = hn::RebindMask(d, hn::Gt(below[i], limit));
    const auto low_next = hn::RebindMask(d, hn::Gt(below[i], limit_next));
    best.at = hn::Max(best.at, hn::IfThenElse(low, none, key[i]));
    best.next = hn::Max(best.next, hn::IfThenElse(low_next, none, key[i]));
  }
}

// One bit per key that equals `key`.
HWY_INLINE void MarkEqual(const float* keys, int padded,
                          const hn::Vec<Keys>& key,
                          uint64_t (&words)[kMostKeys / 64]) {
  const Keys d;
  words[0] = 0;
  words[1] = 0;
  for (int i = 0; i < padded; i += kKeysAtOnce) {
    uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::Eq(hn::LoadU(d, keys + i), key), bits);
    words[i / 64] |= uint64_t{bits[0]} << (i % 64);
  }
}

// The place of the one key that equals `key`, or -1 if several do.
HWY_INLINE int OnlyPlace(const float* keys, int padded,
                         const hn::Vec<Keys>& key) {
  uint64_t words[kMostKeys / 64];
  MarkEqual(keys, padded, key, words);
  if (std::popcount(words[0]) + std::popcount(words[1]) != 1) return -1;
  return words[0] != 0 ? std::countr_zero(words[0])
                       : 64 + std::countr_zero(words[1]);
}

HWY_INLINE void RankSome(const float* keys, int first, int vectors, int count,
                         int rank, RankedKeys& best) {
  switch (vectors) {
    case 1:
      return RankKeys<1>(keys, first, count, rank, best);
    case 2:
      return RankKeys<2>(keys, first, count, rank, best);
    case 3:
      return RankKeys<3>(keys, first, count, rank, best);
    case 4:
      return RankKeys<4>(keys, first, count, rank, best);
    default:
      return RankKeys<5>(keys, first, count, rank, best);
  }
}

// Where among `count` values, kMostKeys at most, those of rank `rank` and
// `rank` + 1 (from 0) are. `keys` are the values, 0 and above, in single
// precision, padded with infinities to a multiple of 8. False if single
// precision cannot tell.
HWY_INLINE bool FindRank(const float* keys, int count, int rank, int& at,
                         int& next) {
  const int padded = (count + 7) / 8 * 8;
  const Keys d;
  RankedKeys best{hn::Set(d, -1.0f), hn::Set(d, -1.0f)};
  for (int first = 0; first < padded; first += 5 * kKeysAtOnce) {
    const int vectors = HWY_MIN(5, (padded - first) / kKeysAtOnce);
    RankSome(keys, first, vectors, count, rank, best);
  }
  at = OnlyPlace(keys, padded, hn::MaxOfLanes(d, best.at));
  next = OnlyPlace(keys, padded, hn::MaxOfLanes(d, best.next));
  return at >= 0 && next >= 0;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_
