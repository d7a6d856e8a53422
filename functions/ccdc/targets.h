#ifndef INTERNODE_FUNCTIONS_CCDC_TARGETS_H_
#define INTERNODE_FUNCTIONS_CCDC_TARGETS_H_

// Which instruction sets the kernels are compiled for. Left out: those that
// bring nothing to arithmetic on doubles, and those with vectors of unknown
// length, which cannot be members of a struct.
#define HWY_DISABLED_TARGETS                                          \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 |       \
   HWY_SVE2_128 | HWY_RVV)

#endif  // INTERNODE_FUNCTIONS_CCDC_TARGETS_H_
