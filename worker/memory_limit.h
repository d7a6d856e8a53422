#ifndef INTERNODE_WORKER_MEMORY_LIMIT_H_
#define INTERNODE_WORKER_MEMORY_LIMIT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace internode::worker {

// The memory that this process may use: the machine's, or the smallest limit of
// its control group (version 1 or 2) and of those above it. Bytes.
int64_t UsableMemory();

// The same on files below `root` ("" is the machine), for tests.
int64_t UsableMemoryBelow(const std::string& root);

// The resident memory of a process, in bytes; 0 when it is gone.
int64_t ResidentBytes(pid_t pid);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_MEMORY_LIMIT_H_
