#ifndef INTERNODE_BASE_HEAP_H_
#define INTERNODE_BASE_HEAP_H_

#include <cstdint>

namespace internode {

// The heap gives each freed frame of a megabyte back to the kernel, which
// clears it before it gives it out again: a page fault for each 4 KiB, which
// costs more than to copy them. A program through which frames flow calls this
// first, and keeps up to 16 MiB of freed memory in each of its heaps, of which
// there are two at most: one for each few threads would keep many times that.
// Heaps grow by as much, which can be huge pages where the C library asks for
// them (worker/child_process.cc).
void KeepFreedMemory();

// Gives freed memory back to the kernel if this process holds more than
// `most_bytes` besides what is in use. The heaps give back what is at their
// ends only: after a burst, such as thousands of TLS handshakes at a time, they
// would keep all that it took for ever. Takes a few milliseconds then; to be
// called every some seconds.
void ReturnFreedMemory(int64_t most_bytes);

}  // namespace internode

#endif  // INTERNODE_BASE_HEAP_H_
