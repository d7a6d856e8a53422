#include "base/heap.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>

namespace internode {
namespace {

// 0 if the kernel does not tell.
int64_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long long pages = 0;
  if (std::fscanf(file, "%*d %lld", &pages) != 1) pages = 0;
  std::fclose(file);
  return int64_t{pages} * sysconf(_SC_PAGESIZE);
}

}  // namespace

void KeepFreedMemory() {
  constexpr int kKeptBytes = 16 << 20;
  mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

void ReturnFreedMemory(int64_t most_bytes) {
  const struct mallinfo2 heap = mallinfo2();
  const auto used = static_cast<int64_t>(heap.uordblks + heap.hblkhd);
  if (ResidentBytes() - used > most_bytes) malloc_trim(0);
}

}  // namespace internode
