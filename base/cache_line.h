#ifndef INTERNODE_BASE_CACHE_LINE_H_
#define INTERNODE_BASE_CACHE_LINE_H_

#include <cstdint>

namespace internode {

// What processors move between memory and cache at once, on x86-64 and on most
// of arm64. Only speed depends on it.
inline constexpr int64_t kCacheLineBytes = 64;

}  // namespace internode

#endif  // INTERNODE_BASE_CACHE_LINE_H_
