#ifndef INTERNODE_CUBE_PIECE_STORE_H_
#define INTERNODE_CUBE_PIECE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace internode::cube {

// Bytes that are kept from one step to the next. Thread-safe as long as no two
// threads use the same bytes.
class PieceStore {
 public:
  virtual ~PieceStore() = default;
  virtual absl::Status Write(int64_t offset,
                             absl::Span<const std::byte> bytes) = 0;
  virtual absl::Status Read(int64_t offset, absl::Span<std::byte> bytes) = 0;
};

// In memory. Error: kResourceExhausted.
absl::StatusOr<std::unique_ptr<PieceStore>> NewMemoryStore(int64_t bytes);

// In a file of `folder` that has no name, and so is gone with the process,
// however it ends. Its room is taken at once. Errors: kResourceExhausted, the
// disk is full; kInvalidArgument, no such folder; kFailedPrecondition, no
// permission.
absl::StatusOr<std::unique_ptr<PieceStore>> NewScratchStore(
    const std::string& folder, int64_t bytes);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_PIECE_STORE_H_
