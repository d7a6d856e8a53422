#ifndef INTERNODE_CUBE_CHUNK_ARRAY_PAGES_H_
#define INTERNODE_CUBE_CHUNK_ARRAY_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_structure_reader.h"

namespace internode::cube {

// What every block of both kinds of arrays begins with: signature, version,
// client, address of the header.
inline constexpr uint64_t kArrayPrefixBytes = 14;

// Bit `bit` of a bitmap that begins with the highest bit of a byte; 0 beyond
// its end.
bool BitIsSet(absl::Span<const std::byte> bitmap, uint64_t bit);

// The pages of the data blocks of both kinds of arrays: elements, and their
// checksum. Reads many at once.
class ArrayPages {
 public:
  // `page_elements`: of a page, unless Add is told less.
  ArrayPages(StructureReader* reader, ArrayElements* elements,
             uint64_t page_elements)
      : reader_(reader), elements_(elements), page_elements_(page_elements) {}

  // From one page to the next.
  uint64_t page_bytes() const;

  // The page at `address` holds `count` elements from number `first` on.
  absl::Status Add(uint64_t address, uint64_t first, uint64_t count);
  // Reads the pages that wait. Errors: kDataLoss; as ArrayElements::Add and
  // StructureReader::ReadEach.
  absl::Status Flush();

 private:
  absl::Status ReadPage(const StructurePlace& place,
                        absl::Span<const std::byte> bytes);

  StructureReader* const reader_;
  ArrayElements* const elements_;
  const uint64_t page_elements_;
  // Tagged with the number of the first element.
  std::vector<StructurePlace> waiting_;
  // The one page that may be shorter: that of the last elements.
  uint64_t short_first_ = 0;
  uint64_t short_count_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_ARRAY_PAGES_H_
