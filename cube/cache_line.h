#ifndef INTERNODE_CUBE_CACHE_LINE_H_
#define INTERNODE_CUBE_CACHE_LINE_H_

#include <cstdint>

namespace internode::cube {

// What processors move between memory and cache at once, on x86-64 and on most
// of arm64. Only speed depends on it.
inline constexpr int64_t kCacheLineBytes = 64;

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CACHE_LINE_H_
