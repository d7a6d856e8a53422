#include "core/crc32c.h"

#include <isa-l/crc.h>

#include <cstddef>

#include "base/cache_line.h"

namespace internode::core {
namespace {

// Bytes are taken in such pieces, and asked for so long before. Those of a
// frame were written a while ago: the way to each of their pages, and the first
// lines of it, come from memory, and the processor does not foresee them by
// itself.
constexpr size_t kPiece = 1024;
constexpr size_t kAhead = 4096;

void Prefetch(absl::string_view bytes) {
  for (size_t b = 0; b < bytes.size(); b += kCacheLineBytes) {
    __builtin_prefetch(bytes.data() + b);
  }
}

}  // namespace

uint32_t Crc32c(absl::string_view bytes) { return ExtendCrc32c(0, bytes); }

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
  uint32_t state = ~crc;
  for (size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    if (bytes.size() - begin > kAhead) {
      Prefetch(bytes.substr(begin + kAhead, kPiece));
    }
    const absl::string_view part = bytes.substr(begin, kPiece);
    // The library counts in int, and does not write to what it takes.
    state = crc32_iscsi(
        reinterpret_cast<unsigned char*>(const_cast<char*>(part.data())),
        static_cast<int>(part.size()), state);
  }
  return ~state;
}

}  // namespace internode::core
