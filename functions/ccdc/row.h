#ifndef INTERNODE_FUNCTIONS_CCDC_ROW_H_
#define INTERNODE_FUNCTIONS_CCDC_ROW_H_

namespace internode::functions::ccdc {

inline constexpr int kLanes = 8;

// Eight doubles on one cache line: eight bands of an observation, or the
// eight basis functions of a date.
struct alignas(64) Row {
  double v[kLanes];
};

// The basis: 1, t, cos, sin, cos 2, sin 2, cos 3, sin 3.
inline constexpr int kBasis = 8;

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_ROW_H_
