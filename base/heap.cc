#include "base/heap.h"

#include <malloc.h>

namespace internode {

void KeepFreedMemory() {
  constexpr int kKeptBytes = 16 << 20;
  mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

}  // namespace internode
