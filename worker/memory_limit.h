#ifndef INTERNODE_WORKER_MEMORY_LIMIT_H_
#define INTERNODE_WORKER_MEMORY_LIMIT_H_

#include <cstdint>
#include <string>

namespace internode::worker {

// The memory that this process may use: the machine's, or the smallest limit of
// its control group (version 1 or 2) and of those above it. Bytes.
int64_t UsableMemory();

// The same on files below `root` ("" is the machine), for tests.
int64_t UsableMemoryBelow(const std::string& root);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_MEMORY_LIMIT_H_
