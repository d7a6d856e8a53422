#ifndef INTERNODE_TESTS_SUPPORT_MEMORY_BYTE_SOURCE_H_
#define INTERNODE_TESTS_SUPPORT_MEMORY_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "cube/byte_source.h"

namespace internode::testing {

// A file whose bytes are in memory, of a caller who keeps them.
class MemoryByteSource final : public cube::ByteSource {
 public:
  explicit MemoryByteSource(absl::string_view bytes) : bytes_(bytes) {}

  uint64_t size() const override { return bytes_.size(); }

  absl::Status ReadAt(uint64_t offset,
                      absl::Span<std::byte> bytes) const override {
    if (offset > bytes_.size() || bytes.size() > bytes_.size() - offset) {
      return absl::DataLossError("read beyond the end");
    }
    if (!bytes.empty()) {
      std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
    }
    return absl::OkStatus();
  }

  void WillRead(uint64_t /*offset*/, uint64_t /*length*/) const override {}

 private:
  absl::string_view bytes_;
};

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_MEMORY_BYTE_SOURCE_H_
