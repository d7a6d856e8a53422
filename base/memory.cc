#include "base/memory.h"

#include <sys/mman.h>

#include <new>

#include "base/cache_line.h"

namespace internode {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;

// So that less than half of it lies before the first and behind the last huge
// page.
constexpr size_t kLargeBytes = 2 * kHugePageBytes;

}  // namespace

Memory::Memory(size_t bytes) {
  const size_t alignment =
      bytes < kLargeBytes ? size_t{kCacheLineBytes} : kHugePageBytes;
  data_ = {static_cast<std::byte*>(operator new (bytes,
                                                 std::align_val_t{alignment})),
           AlignedDelete{alignment}};
  if (alignment == kHugePageBytes) {
    // A wish: without huge pages everything is as right, and slower.
    madvise(data_.get(), bytes / kHugePageBytes * kHugePageBytes,
            MADV_HUGEPAGE);
  }
}

void AlignedDelete::operator()(std::byte* data) const {
  operator delete (data, std::align_val_t{alignment});
}

}  // namespace internode
