#ifndef INTERNODE_CORE_VARINT_H_
#define INTERNODE_CORE_VARINT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace internode::core {

// Numbers in as few bytes as they need (LEB128): seven bits a byte, the lowest
// first, the high bit set in all but the last.

inline void AppendVarint(int64_t value, std::string* bytes) {
  auto rest = static_cast<uint64_t>(value);
  for (; rest >= 0x80; rest >>= 7) {
    bytes->push_back(static_cast<char>(rest | 0x80));
  }
  bytes->push_back(static_cast<char>(rest));
}

// Takes a number off the front of `bytes`. Returns false, and leaves `bytes`
// as it is, if there is none between 0 and 2^63 - 1.
inline bool TakeVarint(absl::string_view* bytes, int64_t* value) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes->size() && i < 9; ++i) {
    const auto byte = static_cast<uint8_t>((*bytes)[i]);
    number |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      *value = static_cast<int64_t>(number);
      return true;
    }
  }
  return false;
}

}  // namespace internode::core

#endif  // INTERNODE_CORE_VARINT_H_
