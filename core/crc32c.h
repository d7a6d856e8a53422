#ifndef INTERNODE_CORE_CRC32C_H_
#define INTERNODE_CORE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace internode::core {

// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected, initial value and
// final xor 0xFFFFFFFF; RFC 3720, section 12.1). Uses the processor's
// instructions where it has them.
uint32_t Crc32c(absl::string_view bytes);

// The CRC of what `crc` is the CRC of, followed by `bytes`:
// ExtendCrc32c(Crc32c(a), b) is the CRC of a and b together.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

}  // namespace internode::core

#endif  // INTERNODE_CORE_CRC32C_H_
