#ifndef INTERNODE_CUBE_LAYOUT_MESSAGE_H_
#define INTERNODE_CUBE_LAYOUT_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "cube/dataset_storage.h"
#include "cube/hdf5_structure_reader.h"

namespace internode::cube {

// The message "data layout" in the header of a dataset.
struct LayoutMessage {
  StorageLayout layout = StorageLayout::kChunked;
  // Of the numbers, or of the chunk index; kUndefined: nothing is written.
  uint64_t address = 0;
  // kCompact, kContiguous: of the numbers; versions 1 and 2 leave it out (0).
  uint64_t bytes = 0;

  // kChunked. Of a chunk, and at the end the bytes of an element.
  std::vector<uint64_t> chunk;
  ChunkIndexKind kind = ChunkIndexKind::kBTree1;
  bool edge_chunks_unfiltered = false;
  // kSingle: whether the two below are given.
  bool single_filtered = false;
  uint64_t single_bytes = 0;
  uint32_t single_mask = 0;
  // kFixedArray, kExtensibleArray: 2^page_bits elements are a page.
  uint8_t page_bits = 0;
  // kExtensibleArray.
  uint8_t max_elements_bits = 0;
  uint8_t index_block_elements = 0;
  uint8_t min_data_pointers = 0;
  uint8_t min_data_elements = 0;
};

// Pure. `address` is the message's own. Errors: kUnimplemented, kDataLoss.
absl::StatusOr<LayoutMessage> ParseLayoutMessage(
    absl::Span<const std::byte> message, uint64_t address);

// Finds the message in the object header (version 1 or 2) at `address` and in
// its continuations. Errors: kUnimplemented, also for numbers that are in
// other files; kDataLoss; as StructureReader::Read.
absl::StatusOr<LayoutMessage> FindLayoutMessage(uint64_t address,
                                                StructureReader* reader);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_LAYOUT_MESSAGE_H_
