#ifndef INTERNODE_TESTS_SUPPORT_ALLOCATIONS_H_
#define INTERNODE_TESTS_SUPPORT_ALLOCATIONS_H_

#include <cstdint>

namespace internode::testing {

// How often this program has called operator new, which is replaced in every
// program that is linked with this.
int64_t Allocations();

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_ALLOCATIONS_H_
