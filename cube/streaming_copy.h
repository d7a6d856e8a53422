#ifndef INTERNODE_CUBE_STREAMING_COPY_H_
#define INTERNODE_CUBE_STREAMING_COPY_H_

#include <cstddef>

namespace internode::cube {

// Copies `bytes` bytes to a place that is not read soon. Whole lines of the
// processor's cache go straight to memory: they are not read before they are
// written, and push nothing out of the cache. Other threads see them after
// FinishStreaming. The ranges do not overlap.
void StreamingCopy(const std::byte* from, size_t bytes, std::byte* to);

// Before anybody else may learn that the copies of this thread are done.
void FinishStreaming();

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_STREAMING_COPY_H_
