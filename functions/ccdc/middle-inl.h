// The value of a given rank among few, in two bands at once.
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
#include <cstring>

#include "functions/ccdc/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Ranks are found by counting, for each value, how many are below: as many
// operations as pairs, but none that waits for another, and no branch. Values
// are counted rounded to single precision, which keeps their order: keys. Those
// of the two bands alternate, so that one pass counts both.
using Keys = hn::CappedTag<float, 16>;
inline constexpr int kKeysAtOnce =
    static_cast<int>(HWY_MIN(HWY_LANES(float), 16));
inline constexpr int kMostObservations = 128;
inline constexpr int kWords = 2 * kMostObservations / 64;

// One bit per key: those below which there are as many of their band as the
// rank asks for.
struct RankBits {
  uint64_t at[kWords];
  uint64_t next[kWords];
};

HWY_INLINE void SetBits(const hn::Mask<Keys> mask, int first, uint64_t* words) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(Keys(), mask, bytes);
  uint64_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  words[first / 64] |= bits << (first % 64);
}

// The key of both bands of an observation, over and over.
HWY_INLINE hn::Vec<Keys> Repeat(const float* keys) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(Keys(), *keys);
#else
  double both;
  std::memcpy(&both, keys, sizeof(both));
  return hn::BitCast(Keys(), hn::Set(hn::Repartition<double, Keys>(), both));
#endif
}

// Vectors of keys have just been stored as two halves each, and are fetched as
// such: the processor cannot pass them on as one.
HWY_INLINE hn::Vec<Keys> LoadKeys(const float* keys) {
#if HWY_TARGET == HWY_SCALAR
  return hn::LoadU(Keys(), keys);
#else
  const hn::Half<Keys> half;
  return hn::Combine(Keys(), hn::LoadU(half, keys + kKeysAtOnce / 2),
                     hn::LoadU(half, keys));
#endif
}

using Counts = hn::RebindToSigned<Keys>;

// counts + 1 where a < b.
HWY_INLINE hn::Vec<Counts> CountLess(const hn::Vec<Keys> a,
                                     const hn::Vec<Keys> b,
                                     const hn::Vec<Counts> counts) {
#if HWY_TARGET == HWY_AVX3
  // One operation instead of two.
  const auto less = hn::Lt(a, b);
  return hn::Vec<Counts>{_mm512_mask_add_epi32(counts.raw, less.raw, counts.raw,
                                               _mm512_set1_epi32(1))};
#else
  const auto less = hn::RebindMask(Counts(), hn::Lt(a, b));
  return hn::Sub(counts, hn::VecFromMask(Counts(), less));
#endif
}

// Counts for the keys [first, first + kVectors vectors).
template <int kVectors>
HWY_INLINE void RankKeys(const float* keys, int first, int count, int rank,
                         int next_rank, RankBits& bits) {
  const Keys d;
  const Counts di;
  hn::Vec<Keys> key[kVectors];
  hn::Vec<Counts> below[kVectors];
  INTERNODE_UNROLL
  for (int i = 0; i < kVectors; ++i) {
    key[i] = LoadKeys(keys + first + i * kKeysAtOnce);
    below[i] = hn::Zero(di);
  }
  // A vector of one lane holds keys of one band.
  const float* others = keys + (kKeysAtOnce == 1 ? first % 2 : 0);
  for (int j = 0; j < count; ++j) {
    const auto other = Repeat(others + 2 * j);
    INTERNODE_UNROLL
    for (int i = 0; i < kVectors; ++i) {
      below[i] = CountLess(other, key[i], below[i]);
    }
  }
  const auto wanted = hn::Set(di, rank);
  const auto wanted_next = hn::Set(di, next_rank);
  INTERNODE_UNROLL
  for (int i = 0; i < kVectors; ++i) {
    const int place = first + i * kKeysAtOnce;
    SetBits(hn::RebindMask(d, hn::Eq(below[i], wanted)), place, bits.at);
    SetBits(hn::RebindMask(d, hn::Eq(below[i], wanted_next)), place, bits.next);
  }
}

HWY_INLINE void RankSome(const float* keys, int first, int vectors, int count,
                         int rank, int next_rank, RankBits& bits) {
  if (kKeysAtOnce == 1 || vectors == 1) {
    return RankKeys<1>(keys, first, count, rank, next_rank, bits);
  }
  switch (vectors) {
    case 2:
      return RankKeys<2>(keys, first, count, rank, next_rank, bits);
    case 3:
      return RankKeys<3>(keys, first, count, rank, next_rank, bits);
    default:
      return RankKeys<4>(keys, first, count, rank, next_rank, bits);
  }
}

// The observation of the one bit of a band that is set, or -1 if not one is.
HWY_INLINE int OnlyPlace(const uint64_t (&bits)[kWords], int words, int band) {
  const uint64_t mask = uint64_t{0x5555555555555555} << band;
  int set = 0;
  int place = 0;
  for (int w = 0; w < words; ++w) {
    const uint64_t of_band = bits[w] & mask;
    set += std::popcount(of_band);
    if (of_band != 0) place = (64 * w + std::countr_zero(of_band)) / 2;
  }
  return set == 1 ? place : -1;
}

// Where among `count` values of each of two bands, kMostObservations at most,
// those of the ranks (from 0) are. `keys`: (observation, band), the values in
// single precision, padded with infinities to a multiple of 8 observations.
// False if single precision cannot tell.
HWY_INLINE bool FindRanks(const float* keys, int count, int rank, int next_rank,
                          int (&at)[2], int (&next)[2]) {
  const int padded = 2 * ((count + 7) / 8 * 8);
  constexpr int kMost = kKeysAtOnce == 1 ? 1 : 4;  // vectors in one go
  RankBits bits = {};
  for (int first = 0; first < padded; first += kMost * kKeysAtOnce) {
    const int vectors = HWY_MIN(kMost, (padded - first) / kKeysAtOnce);
    RankSome(keys, first, vectors, count, rank, next_rank, bits);
  }
  const int words = (padded + 63) / 64;
  bool found = true;
  for (int band = 0; band < 2; ++band) {
    at[band] = OnlyPlace(bits.at, words, band);
    next[band] = OnlyPlace(bits.next, words, band);
    found &= at[band] >= 0 && next[band] >= 0;
  }
  return found;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_MIDDLE_INL_H_
