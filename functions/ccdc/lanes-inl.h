// Fixed groups of lanes on top of vectors of any width: the same operations in
// the same order, and so the same results, on every instruction set. Multiply
// and add are fused where the code says so, and only there; instruction sets
// that cannot (x86-64 before 2013) call the C library's fma, which is exact and
// slow.
//
// Included once per target (highway's foreach_target).

#if defined(INTERNODE_FUNCTIONS_CCDC_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERNODE_FUNCTIONS_CCDC_LANES_INL_H_
#undef INTERNODE_FUNCTIONS_CCDC_LANES_INL_H_
#else
#define INTERNODE_FUNCTIONS_CCDC_LANES_INL_H_
#endif

#include <cmath>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace internode::functions::ccdc {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Before a loop of at most eight turns whose number is known to the compiler:
// what it works on can then stay in registers.
#undef INTERNODE_UNROLL
#undef INTERNODE_UNROLL_ALL
#if HWY_COMPILER_CLANG
#define INTERNODE_UNROLL _Pragma("clang loop unroll(full)")
#define INTERNODE_UNROLL_ALL _Pragma("clang loop unroll(full)")
#else
#define INTERNODE_UNROLL _Pragma("GCC unroll 8")
#define INTERNODE_UNROLL_ALL _Pragma("GCC unroll 32")
#endif

// kCount doubles.
template <int kCount>
struct Pack {
  using D = hn::CappedTag<double, kCount>;
  static constexpr int kPer =
      static_cast<int>(HWY_MIN(HWY_LANES(double), static_cast<size_t>(kCount)));
  static constexpr int kVectors = kCount / kPer;
  hn::Vec<D> v[kVectors];
};

template <int kCount>
struct PackMask {
  static constexpr int kVectors = Pack<kCount>::kVectors;
  hn::Mask<typename Pack<kCount>::D> m[kVectors];
};

#define INTERNODE_PACK_FOR(n, i) for (int i = 0; i < Pack<n>::kVectors; ++i)

template <int n>
HWY_INLINE Pack<n> Load(const double* p) {
  Pack<n> r;
  INTERNODE_PACK_FOR(n, i) {
    r.v[i] = hn::LoadU(typename Pack<n>::D(), p + i * Pack<n>::kPer);
  }
  return r;
}

template <int n>
HWY_INLINE void Store(const Pack<n>& a, double* p) {
  INTERNODE_PACK_FOR(n, i) {
    hn::StoreU(a.v[i], typename Pack<n>::D(), p + i * Pack<n>::kPer);
  }
}

template <int n>
HWY_INLINE Pack<n> Broadcast(double x) {
  Pack<n> r;
  INTERNODE_PACK_FOR(n, i) { r.v[i] = hn::Set(typename Pack<n>::D(), x); }
  return r;
}

#define INTERNODE_PACK_BINARY(name, op)                           \
  template <int n>                                                \
  HWY_INLINE Pack<n> name(const Pack<n>& a, const Pack<n>& b) {   \
    Pack<n> r;                                                    \
    INTERNODE_PACK_FOR(n, i) { r.v[i] = hn::op(a.v[i], b.v[i]); } \
    return r;                                                     \
  }
INTERNODE_PACK_BINARY(operator+, Add)
INTERNODE_PACK_BINARY(operator-, Sub)
INTERNODE_PACK_BINARY(operator*, Mul)
INTERNODE_PACK_BINARY(operator/, Div)
INTERNODE_PACK_BINARY(Min, Min)
INTERNODE_PACK_BINARY(Max, Max)
INTERNODE_PACK_BINARY(EitherBits, Or)
#undef INTERNODE_PACK_BINARY

// a * b + c and c - a * b, rounded once.
template <int n>
HWY_INLINE Pack<n> MulAdd(const Pack<n>& a, const Pack<n>& b,
                          const Pack<n>& c) {
  Pack<n> r;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64
  INTERNODE_PACK_FOR(n, i) { r.v[i] = hn::MulAdd(a.v[i], b.v[i], c.v[i]); }
#else
  double x[n];
  double y[n];
  double z[n];
  Store(a, x);
  Store(b, y);
  Store(c, z);
  for (int i = 0; i < n; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  r = Load<n>(z);
#endif
  return r;
}

template <int n>
HWY_INLINE Pack<n> NegMulAdd(const Pack<n>& a, const Pack<n>& b,
                             const Pack<n>& c) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64
  Pack<n> r;
  INTERNODE_PACK_FOR(n, i) { r.v[i] = hn::NegMulAdd(a.v[i], b.v[i], c.v[i]); }
  return r;
#else
  return MulAdd(a, Broadcast<n>(0) - b, c);
#endif
}

#define INTERNODE_PACK_UNARY(name, op)                    \
  template <int n>                                        \
  HWY_INLINE Pack<n> name(const Pack<n>& a) {             \
    Pack<n> r;                                            \
    INTERNODE_PACK_FOR(n, i) { r.v[i] = hn::op(a.v[i]); } \
    return r;                                             \
  }
INTERNODE_PACK_UNARY(Abs, Abs)
INTERNODE_PACK_UNARY(Sqrt, Sqrt)
INTERNODE_PACK_UNARY(Negative, Neg)
#undef INTERNODE_PACK_UNARY

#define INTERNODE_PACK_COMPARE(name, op)                            \
  template <int n>                                                  \
  HWY_INLINE PackMask<n> name(const Pack<n>& a, const Pack<n>& b) { \
    PackMask<n> r;                                                  \
    INTERNODE_PACK_FOR(n, i) { r.m[i] = hn::op(a.v[i], b.v[i]); }   \
    return r;                                                       \
  }
INTERNODE_PACK_COMPARE(operator<, Lt)
INTERNODE_PACK_COMPARE(operator>, Gt)
INTERNODE_PACK_COMPARE(operator<=, Le)
INTERNODE_PACK_COMPARE(operator==, Eq)
#undef INTERNODE_PACK_COMPARE

#define INTERNODE_PACK_LOGIC(name, op)                                      \
  template <int n>                                                          \
  HWY_INLINE PackMask<n> name(const PackMask<n>& a, const PackMask<n>& b) { \
    PackMask<n> r;                                                          \
    INTERNODE_PACK_FOR(n, i) { r.m[i] = hn::op(a.m[i], b.m[i]); }           \
    return r;                                                               \
  }
INTERNODE_PACK_LOGIC(Either, Or)
INTERNODE_PACK_LOGIC(Both, And)
#undef INTERNODE_PACK_LOGIC

// a and not b.
template <int n>
HWY_INLINE PackMask<n> Without(const PackMask<n>& a, const PackMask<n>& b) {
  PackMask<n> r;
  INTERNODE_PACK_FOR(n, i) { r.m[i] = hn::AndNot(b.m[i], a.m[i]); }
  return r;
}

template <int n>
HWY_INLINE Pack<n> Select(const PackMask<n>& m, const Pack<n>& yes,
                          const Pack<n>& no) {
  Pack<n> r;
  INTERNODE_PACK_FOR(n, i) {
    r.v[i] = hn::IfThenElse(m.m[i], yes.v[i], no.v[i]);
  }
  return r;
}

template <int n>
HWY_INLINE bool None(const PackMask<n>& m) {
  auto any = m.m[0];
  for (int i = 1; i < PackMask<n>::kVectors; ++i) any = hn::Or(any, m.m[i]);
  return hn::AllFalse(typename Pack<n>::D(), any);
}

template <int n>
HWY_INLINE bool All(const PackMask<n>& m) {
  auto all = m.m[0];
  for (int i = 1; i < PackMask<n>::kVectors; ++i) all = hn::And(all, m.m[i]);
  return hn::AllTrue(typename Pack<n>::D(), all);
}

template <int n>
HWY_INLINE int Count(const PackMask<n>& m) {
  size_t count = 0;
  INTERNODE_PACK_FOR(n, i) {
    count += hn::CountTrue(typename Pack<n>::D(), m.m[i]);
  }
  return static_cast<int>(count);
}

// All eight, in an order that does not depend on the width of a vector.
HWY_INLINE double Total(const Pack<8>& a) {
  alignas(64) double x[8];
  Store(a, x);
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

// The total of each of four, (0 + 1) + (2 + 3).
HWY_INLINE void Totals(const Pack<4>& a, const Pack<4>& b, const Pack<4>& c,
                       const Pack<4>& d, double* out) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const Pack<4>::D tag;
  const auto ab = hn::Add(hn::InterleaveLower(tag, a.v[0], b.v[0]),
                          hn::InterleaveUpper(tag, a.v[0], b.v[0]));
  const auto cd = hn::Add(hn::InterleaveLower(tag, c.v[0], d.v[0]),
                          hn::InterleaveUpper(tag, c.v[0], d.v[0]));
  hn::StoreU(hn::Add(hn::ConcatLowerLower(tag, cd, ab),
                     hn::ConcatUpperUpper(tag, cd, ab)),
             tag, out);
#else
  const Pack<4>* all[4] = {&a, &b, &c, &d};
  for (int i = 0; i < 4; ++i) {
    double x[4];
    Store(*all[i], x);
    out[i] = (x[0] + x[1]) + (x[2] + x[3]);
  }
#endif
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::functions::ccdc
HWY_AFTER_NAMESPACE();

#endif  // INTERNODE_FUNCTIONS_CCDC_LANES_INL_H_
