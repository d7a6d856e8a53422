#ifndef INTERNODE_BASE_HEAP_H_
#define INTERNODE_BASE_HEAP_H_

namespace internode {

// The heap gives each freed frame of a megabyte back to the kernel, which
// clears it before it gives it out again: a page fault for each 4 KiB, which
// costs more than to copy them. A program through which frames flow calls this
// first, and keeps up to 16 MiB of freed memory in each of its heaps.
void KeepFreedMemory();

}  // namespace internode

#endif  // INTERNODE_BASE_HEAP_H_
