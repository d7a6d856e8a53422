#ifndef INTERNODE_BASE_RESIDENT_MEMORY_H_
#define INTERNODE_BASE_RESIDENT_MEMORY_H_

#include <sys/types.h>

#include <cstdint>

namespace internode {

// The resident memory of a process, in bytes; 0 when it is gone.
int64_t ResidentBytes(pid_t pid);

}  // namespace internode

#endif  // INTERNODE_BASE_RESIDENT_MEMORY_H_
