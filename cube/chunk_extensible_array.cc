// Chunk indexes of datasets with one dimension without a limit: extensible
// arrays (VII.C of the format specification).
//
// The first elements are in the index block. The others are in data blocks,
// which super blocks group: super block s has 2^(s/2) data blocks of
// 2^((s+1)/2) times the least number of elements. The data blocks of the first
// super blocks are listed by the index block itself.

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/status_macros.h"
#include "cube/chunk_array_pages.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

constexpr absl::string_view kExtensible = "extensible array";
constexpr uint64_t kExtensibleHeaderBytes = 72;

// The data blocks of one super block.
struct SuperBlock {
  uint64_t num_blocks = 0;
  uint64_t block_elements = 0;
  // Of all elements that are not in the index block.
  uint64_t first = 0;
  // Data blocks of the super blocks before it.
  uint64_t blocks_before = 0;
};

class ExtensibleArray {
 public:
  ExtensibleArray(const IndexReading& reading, ArrayElements* elements,
                  uint64_t header)
      : reading_(reading),
        layout_(reading.layout),
        elements_(elements),
        header_(header) {}

  absl::Status Read(uint64_t index_block) {
    INTERNODE_RETURN_IF_ERROR(Measure());
    return ReadIndexBlock(index_block);
  }

 private:
  // The numbers that follow from the parameters, as in H5EA__hdr_init.
  absl::Status Measure() {
    const auto is_power = [](uint8_t value) {
      return std::has_single_bit(value);
    };
    if (!is_power(layout_.min_data_elements) ||
        !is_power(layout_.min_data_pointers) ||
        layout_.max_elements_bits == 0 || layout_.max_elements_bits > 64 ||
        layout_.page_bits == 0) {
      return Damaged(kExtensible, header_, "impossible parameters");
    }
    const int least_bits = std::countr_zero(layout_.min_data_elements);
    const int all = 1 + layout_.max_elements_bits - least_bits;
    num_direct_ =
        2 * static_cast<size_t>(std::countr_zero(layout_.min_data_pointers));
    if (all < 1 || static_cast<size_t>(all) < num_direct_) {
      return Damaged(kExtensible, header_, "impossible parameters");
    }
    num_super_blocks_ = static_cast<size_t>(all);
    offset_bytes_ = (layout_.max_elements_bits + 7u) / 8u;
    page_elements_ = uint64_t{1} << layout_.page_bits;
    return absl::OkStatus();
  }

  SuperBlock SuperBlockAt(size_t number) const {
    SuperBlock block;
    for (size_t s = 0;; ++s) {
      block.first += block.num_blocks * block.block_elements;
      block.blocks_before += block.num_blocks;
      block.num_blocks = uint64_t{1} << (s / 2);
      block.block_elements =
          (uint64_t{1} << ((s + 1) / 2)) * layout_.min_data_elements;
      if (s == number) return block;
    }
  }

  absl::Status ReadIndexBlock(uint64_t address) {
    const uint64_t elements_bytes =
        layout_.index_block_elements * elements_->bytes();
    const uint64_t num_blocks = 2 * (layout_.min_data_pointers - 1u);
    const uint64_t bytes =
        kArrayPrefixBytes + elements_bytes +
        kAddressBytes * (num_blocks + num_super_blocks_ - num_direct_) +
        kChecksumBytes;
    std::vector<std::byte> buffer;
    INTERNODE_RETURN_IF_ERROR(reading_.reader->Read(address, bytes, &buffer));
    INTERNODE_RETURN_IF_ERROR(CheckBlock("EAIB", address, buffer));
    FieldReader fields(buffer);
    fields.Skip(kArrayPrefixBytes);
    INTERNODE_RETURN_IF_ERROR(elements_->Add(0, fields.Take(elements_bytes)));
    for (size_t s = 0; s < num_direct_; ++s) {
      const SuperBlock super = SuperBlockAt(s);
      if (super.block_elements > page_elements_) {
        return absl::UnimplementedError(
            "an extensible array with pages in small blocks");
      }
      INTERNODE_RETURN_IF_ERROR(ReadDataBlocks(super, &fields, {}));
    }
    for (size_t s = num_direct_; s < num_super_blocks_; ++s) {
      const SuperBlock super = SuperBlockAt(s);
      // Nothing of it and those after it is within the dataset.
      if (super.first >= elements_->size()) break;
      const uint64_t super_address = fields.U64();
      if (super_address == kUndefined) continue;
      INTERNODE_RETURN_IF_ERROR(ReadSuperBlock(super, super_address));
    }
    return absl::OkStatus();
  }

  absl::Status ReadSuperBlock(const SuperBlock& super, uint64_t address) {
    // Bits per page through all data blocks, in room for whole bytes per block.
    const uint64_t pages = super.block_elements > page_elements_
                               ? super.block_elements / page_elements_
                               : 0;
    const uint64_t bitmap_bytes = super.num_blocks * ((pages + 7) / 8);
    const uint64_t bytes = kArrayPrefixBytes + offset_bytes_ + bitmap_bytes +
                           kAddressBytes * super.num_blocks + kChecksumBytes;
    std::vector<std::byte> buffer;
    INTERNODE_RETURN_IF_ERROR(reading_.reader->Read(address, bytes, &buffer));
    INTERNODE_RETURN_IF_ERROR(CheckBlock("EASB", address, buffer));
    FieldReader fields(buffer);
    fields.Skip(kArrayPrefixBytes);
    if (fields.Number(offset_bytes_) != super.first) {
      return Damaged(kExtensible, address, "a super block out of its place");
    }
    const absl::Span<const std::byte> bitmap = fields.Take(bitmap_bytes);
    return ReadDataBlocks(super, &fields, bitmap);
  }

  // Reads the data blocks whose addresses come next in `addresses`.
  absl::Status ReadDataBlocks(const SuperBlock& super, FieldReader* addresses,
                              absl::Span<const std::byte> bitmap) {
    std::vector<StructurePlace> blocks;
    for (uint64_t b = 0; b < super.num_blocks; ++b) {
      const uint64_t address = addresses->U64();
      const uint64_t first = super.first + b * super.block_elements;
      if (address == kUndefined ||
          layout_.index_block_elements + first >= elements_->size()) {
        continue;
      }
      blocks.push_back({address, first});
    }
    const bool paged = super.block_elements > page_elements_;
    const uint64_t prefix = kArrayPrefixBytes + offset_bytes_;
    const uint64_t elements_bytes =
        paged ? 0 : super.block_elements * elements_->bytes();
    INTERNODE_RETURN_IF_ERROR(reading_.reader->ReadEach(
        blocks, prefix + elements_bytes + kChecksumBytes,
        [&](const StructurePlace& place, absl::Span<const std::byte> bytes) {
          return ReadDataBlock(super, place, elements_bytes, bytes);
        }));
    return paged ? ReadPages(super, blocks, prefix + kChecksumBytes, bitmap)
                 : absl::OkStatus();
  }

  absl::Status ReadDataBlock(const SuperBlock& super,
                             const StructurePlace& place,
                             uint64_t elements_bytes,
                             absl::Span<const std::byte> bytes) {
    const uint64_t used =
        kArrayPrefixBytes + offset_bytes_ + elements_bytes + kChecksumBytes;
    INTERNODE_RETURN_IF_ERROR(reading_.reader->Charge(used));
    bytes = bytes.subspan(0, used);
    INTERNODE_RETURN_IF_ERROR(CheckBlock("EADB", place.address, bytes));
    FieldReader fields(bytes);
    fields.Skip(kArrayPrefixBytes);
    // Of a block that the index block lists, libhdf5 writes another number: it
    // counts the blocks before its super block, too.
    const uint64_t first = fields.Number(offset_bytes_);
    if (first != place.tag &&
        first != place.tag + super.blocks_before * super.block_elements) {
      return Damaged(kExtensible, place.address,
                     "a data block out of its place");
    }
    return elements_->Add(layout_.index_block_elements + place.tag,
                          fields.Take(elements_bytes));
  }

  // `pages_at`: where in a data block its pages begin.
  absl::Status ReadPages(const SuperBlock& super,
                         absl::Span<const StructurePlace> blocks,
                         uint64_t pages_at,
                         absl::Span<const std::byte> bitmap) {
    ArrayPages pages(reading_.reader, elements_, page_elements_);
    const uint64_t block_pages = super.block_elements / page_elements_;
    for (const StructurePlace& block : blocks) {
      for (uint64_t p = 0; p < block_pages; ++p) {
        const uint64_t first = block.tag + p * page_elements_;
        if (layout_.index_block_elements + first >= elements_->size()) break;
        if (!BitIsSet(bitmap, (first - super.first) / page_elements_)) continue;
        INTERNODE_RETURN_IF_ERROR(
            pages.Add(block.address + pages_at + p * pages.page_bytes(),
                      layout_.index_block_elements + first, page_elements_));
      }
    }
    return pages.Flush();
  }

  // Checks the checksum at the end of a block, and what all blocks begin with.
  absl::Status CheckBlock(absl::string_view signature, uint64_t address,
                          absl::Span<const std::byte> bytes) const {
    if (bytes.size() < kArrayPrefixBytes + kChecksumBytes) {
      return Damaged(kExtensible, address, "cut off");
    }
    FieldReader checked(bytes);
    checked.Skip(bytes.size() - kChecksumBytes);
    if (!checked.Checksum())
      return Damaged(kExtensible, address, "wrong checksum");
    FieldReader fields(bytes);
    if (!fields.Signature(signature) || fields.U8() != 0 ||
        fields.U8() != (reading_.dataset.filtered ? 1 : 0) ||
        fields.U64() != header_) {
      return Damaged(kExtensible, address, "a block that is not its own");
    }
    return absl::OkStatus();
  }

  const IndexReading& reading_;
  const LayoutMessage& layout_;
  ArrayElements* const elements_;
  const uint64_t header_;
  size_t num_super_blocks_ = 0;
  // Super blocks whose data blocks the index block lists.
  size_t num_direct_ = 0;
  // Of the field that says where in the array a block is.
  uint64_t offset_bytes_ = 0;
  uint64_t page_elements_ = 0;
};

}  // namespace

absl::Status ReadExtensibleArray(const IndexReading& reading) {
  const LayoutMessage& layout = reading.layout;
  const uint64_t address = layout.address;
  std::vector<std::byte> buffer;
  INTERNODE_RETURN_IF_ERROR(
      reading.reader->Read(address, kExtensibleHeaderBytes, &buffer));
  FieldReader fields(buffer);
  if (!fields.Signature("EAHD") || fields.U8() != 0 ||
      fields.U8() != (reading.dataset.filtered ? 1 : 0)) {
    return Damaged(kExtensible, address, "wrong signature, version or client");
  }
  const size_t element_bytes = fields.U8();
  const std::array<uint8_t, 5> expected = {
      layout.max_elements_bits, layout.index_block_elements,
      layout.min_data_elements, layout.min_data_pointers, layout.page_bits};
  const absl::Span<const std::byte> parameters = fields.Take(expected.size());
  const bool same = std::equal(
      parameters.begin(), parameters.end(), expected.begin(), expected.end(),
      [](std::byte a, uint8_t b) { return std::to_integer<uint8_t>(a) == b; });
  fields.Skip(48);  // Statistics.
  const uint64_t block = fields.U64();
  if (!fields.Checksum())
    return Damaged(kExtensible, address, "wrong checksum");
  if (!same) return Damaged(kExtensible, address, "not of such a dataset");
  if (block == kUndefined) return absl::OkStatus();
  INTERNODE_ASSIGN_OR_RETURN(ArrayElements elements,
                             ArrayElements::Extensible(reading, element_bytes));
  return ExtensibleArray(reading, &elements, address).Read(block);
}

}  // namespace internode::cube
