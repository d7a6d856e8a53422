#include "core/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>

namespace internode::core {

uint32_t Crc32c(absl::string_view bytes) { return ExtendCrc32c(0, bytes); }

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
  // The library counts in int, and does not write to what it takes.
  constexpr size_t kMost = size_t{1} << 30;
  uint32_t state = ~crc;
  while (!bytes.empty()) {
    const absl::string_view part =
        bytes.substr(0, std::min(kMost, bytes.size()));
    state = crc32_iscsi(
        reinterpret_cast<unsigned char*>(const_cast<char*>(part.data())),
        static_cast<int>(part.size()), state);
    bytes.remove_prefix(part.size());
  }
  return ~state;
}

}  // namespace internode::core
