// Chunk indexes of datasets that cannot grow beyond a fixed size: fixed arrays
// (VII.B of the format specification).

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "cube/chunk_array_pages.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

constexpr absl::string_view kFixed = "fixed array";
constexpr uint64_t kFixedHeaderBytes = 28;

class FixedArray {
 public:
  FixedArray(const IndexReading& reading, ArrayElements* elements,
             uint64_t header)
      : reading_(reading), elements_(elements), header_(header) {}

  absl::Status Read(uint64_t address) {
    const uint64_t page_elements = uint64_t{1} << reading_.layout.page_bits;
    const uint64_t num_pages = (elements_->size() - 1) / page_elements + 1;
    if (elements_->size() <= page_elements) return ReadUnpaged(address);
    const uint64_t bitmap_bytes = (num_pages - 1) / 8 + 1;
    const uint64_t prefix_bytes =
        kArrayPrefixBytes + bitmap_bytes + kChecksumBytes;
    INTERNODE_RETURN_IF_ERROR(ReadBlock(address, prefix_bytes));
    ArrayPages pages(reading_.reader, elements_, page_elements);
    for (uint64_t page = 0; page < num_pages; ++page) {
      if (!BitIsSet(absl::MakeConstSpan(block_).subspan(kArrayPrefixBytes),
                    page)) {
        continue;
      }
      const uint64_t first = page * page_elements;
      INTERNODE_RETURN_IF_ERROR(
          pages.Add(address + prefix_bytes + page * pages.page_bytes(), first,
                    std::min(page_elements, elements_->size() - first)));
    }
    return pages.Flush();
  }

 private:
  absl::Status ReadUnpaged(uint64_t address) {
    const uint64_t bytes = elements_->size() * elements_->bytes();
    INTERNODE_RETURN_IF_ERROR(
        ReadBlock(address, kArrayPrefixBytes + bytes + kChecksumBytes));
    return elements_->Add(
        0, absl::MakeConstSpan(block_).subspan(kArrayPrefixBytes, bytes));
  }

  // Reads and checks the block, or of one with pages what is before them.
  absl::Status ReadBlock(uint64_t address, uint64_t bytes) {
    INTERNODE_RETURN_IF_ERROR(reading_.reader->Read(address, bytes, &block_));
    FieldReader checked(block_);
    checked.Skip(bytes - kChecksumBytes);
    if (!checked.Checksum()) return Damaged(kFixed, address, "wrong checksum");
    FieldReader fields(block_);
    if (!fields.Signature("FADB") || fields.U8() != 0 ||
        fields.U8() != (reading_.dataset.filtered ? 1 : 0) ||
        fields.U64() != header_) {
      return Damaged(kFixed, address, "a data block that is not its own");
    }
    return absl::OkStatus();
  }

  const IndexReading& reading_;
  ArrayElements* const elements_;
  const uint64_t header_;
  std::vector<std::byte> block_;
};

}  // namespace

absl::Status ReadFixedArray(const IndexReading& reading) {
  const uint64_t address = reading.layout.address;
  std::vector<std::byte> buffer;
  INTERNODE_RETURN_IF_ERROR(
      reading.reader->Read(address, kFixedHeaderBytes, &buffer));
  FieldReader fields(buffer);
  if (!fields.Signature("FAHD") || fields.U8() != 0 ||
      fields.U8() != (reading.dataset.filtered ? 1 : 0)) {
    return Damaged(kFixed, address, "wrong signature, version or client");
  }
  const size_t element_bytes = fields.U8();
  const uint8_t page_bits = fields.U8();
  const uint64_t size = fields.U64();
  const uint64_t block = fields.U64();
  if (!fields.Checksum()) return Damaged(kFixed, address, "wrong checksum");
  INTERNODE_ASSIGN_OR_RETURN(ArrayElements elements,
                             ArrayElements::Fixed(reading, element_bytes));
  if (size != elements.size() || page_bits != reading.layout.page_bits ||
      page_bits == 0) {
    return Damaged(kFixed, address, "not of such a dataset");
  }
  if (block == kUndefined || size == 0) return absl::OkStatus();
  return FixedArray(reading, &elements, address).Read(block);
}

}  // namespace internode::cube
