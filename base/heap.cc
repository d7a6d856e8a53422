#include "base/heap.h"

#include <malloc.h>
#include <unistd.h>

#include "base/resident_memory.h"

namespace internode {

void KeepFreedMemory() {
  constexpr int kKeptBytes = 16 << 20;
  constexpr int kMostHeaps = 2;
  mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kKeptBytes);
  mallopt(M_ARENA_MAX, kMostHeaps);
}

void ReturnFreedMemory(int64_t most_bytes) {
  const struct mallinfo2 heap = mallinfo2();
  const auto used = static_cast<int64_t>(heap.uordblks + heap.hblkhd);
  if (ResidentBytes(getpid()) - used > most_bytes) malloc_trim(0);
}

}  // namespace internode
