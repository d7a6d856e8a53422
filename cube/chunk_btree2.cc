// Chunk indexes of datasets with several dimensions without a limit: B-trees of
// version 2 (III.A.2 of the format specification).

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

constexpr absl::string_view kTree2 = "B-tree";
constexpr uint64_t kTree2HeaderBytes = 38;
constexpr uint8_t kTree2OfChunks = 10;
constexpr uint8_t kTree2OfFilteredChunks = 11;
// Signature, version and type; and the checksum.
constexpr uint64_t kAroundRecords = 10;
constexpr uint64_t kOffsetBytes = 8;

// Bytes of a number of at most `most` (H5VM_limit_enc_size).
uint64_t BytesFor(uint64_t most) {
  uint64_t bytes = 1;
  while (bytes < 8 && most >> (8 * bytes) != 0) ++bytes;
  return bytes;
}

class BTree2 {
 public:
  explicit BTree2(const IndexReading& reading)
      : reading_(reading), place_(reading.dataset.grid.counts.size()) {}

  absl::Status Read(uint64_t address) {
    INTERNODE_RETURN_IF_ERROR(ReadHeader(address));
    if (root_ == kUndefined) {
      if (num_records_ == 0) return absl::OkStatus();
      return Damaged(kTree2, address, "records without a root");
    }
    INTERNODE_RETURN_IF_ERROR(MeasureNodes(address));
    std::vector<StructurePlace> nodes = {{root_, root_records_}};
    for (size_t level = depth_ + 1; level-- > 0;) {
      children_.clear();
      INTERNODE_RETURN_IF_ERROR(reading_.reader->ReadEach(
          std::move(nodes), node_bytes_,
          [this, level](const StructurePlace& place,
                        absl::Span<const std::byte> bytes) {
            return ReadNode(level, place, bytes);
          }));
      nodes = std::move(children_);
    }
    if (records_read_ == num_records_) return absl::OkStatus();
    return Damaged(kTree2, address, "another number of records than it says");
  }

 private:
  // What a node of a level holds.
  struct Level {
    uint64_t most_records = 0;
    // Records of a node and all below it; and the bytes of that number.
    uint64_t most_below = 0;
    uint64_t below_bytes = 0;
  };

  absl::Status ReadHeader(uint64_t address) {
    std::vector<std::byte> buffer;
    INTERNODE_RETURN_IF_ERROR(
        reading_.reader->Read(address, kTree2HeaderBytes, &buffer));
    FieldReader fields(buffer);
    if (!fields.Signature("BTHD") || fields.U8() != 0) {
      return Damaged(kTree2, address, "wrong signature or version");
    }
    type_ = fields.U8();
    node_bytes_ = fields.U32();
    record_bytes_ = fields.U16();
    depth_ = fields.U16();
    fields.Skip(2);
    root_ = fields.U64();
    root_records_ = fields.U16();
    num_records_ = fields.U64();
    if (!fields.Checksum()) return Damaged(kTree2, address, "wrong checksum");
    const bool filtered = reading_.dataset.filtered;
    const uint64_t fixed = kAddressBytes + kOffsetBytes * place_.size() +
                           (filtered ? kFilterMaskBytes : 0);
    size_bytes_ = record_bytes_ - fixed;
    if (type_ != (filtered ? kTree2OfFilteredChunks : kTree2OfChunks) ||
        record_bytes_ < fixed || size_bytes_ > 8 ||
        filtered != (size_bytes_ > 0)) {
      return Damaged(kTree2, address, "not of such a dataset");
    }
    return absl::OkStatus();
  }

  // As H5B2__hdr_init does.
  absl::Status MeasureNodes(uint64_t address) {
    for (uint64_t level = 0; level <= depth_; ++level) {
      const uint64_t pointer = level == 0 ? 0 : PointerBytes(level);
      if (node_bytes_ < kAroundRecords + pointer + record_bytes_ + pointer) {
        return Damaged(kTree2, address, "its nodes have no room for records");
      }
      Level now;
      now.most_records =
          (node_bytes_ - kAroundRecords - pointer) / (record_bytes_ + pointer);
      now.most_below = now.most_records;
      if (level > 0) {
        uint64_t below = 0;
        if (__builtin_mul_overflow(now.most_records + 1,
                                   levels_.back().most_below, &below) ||
            __builtin_add_overflow(below, now.most_records, &now.most_below)) {
          return Damaged(kTree2, address, "too deep");
        }
        now.below_bytes = BytesFor(now.most_below);
      }
      levels_.push_back(now);
    }
    return absl::OkStatus();
  }

  // Of a pointer to a child in a node of the level, 1 or more.
  uint64_t PointerBytes(uint64_t level) const {
    return kAddressBytes + BytesFor(levels_[0].most_records) +
           levels_[level - 1].below_bytes;
  }

  absl::Status ReadNode(size_t level, const StructurePlace& place,
                        absl::Span<const std::byte> bytes) {
    const uint64_t records = place.tag;
    if (records > levels_[level].most_records) {
      return Damaged(kTree2, place.address, "too many records in a node");
    }
    const uint64_t pointer = level == 0 ? 0 : PointerBytes(level);
    const uint64_t used = kAroundRecords + records * record_bytes_ +
                          (level == 0 ? 0 : (records + 1) * pointer);
    INTERNODE_RETURN_IF_ERROR(reading_.reader->Charge(used));
    FieldReader checked(bytes);
    checked.Skip(used - 4);
    if (!checked.Checksum()) {
      return Damaged(kTree2, place.address, "wrong checksum");
    }
    FieldReader fields(bytes);
    if (!fields.Signature(level == 0 ? "BTLF" : "BTIN") || fields.U8() != 0 ||
        fields.U8() != type_) {
      return Damaged(kTree2, place.address, "wrong signature or version");
    }
    for (uint64_t i = 0; i < records; ++i) {
      INTERNODE_RETURN_IF_ERROR(ReadRecord(&fields));
    }
    for (uint64_t i = 0; level > 0 && i <= records; ++i) {
      StructurePlace child;
      child.address = fields.U64();
      child.tag = fields.Number(BytesFor(levels_[0].most_records));
      fields.Skip(levels_[level - 1].below_bytes);
      children_.push_back(child);
    }
    return absl::OkStatus();
  }

  absl::Status ReadRecord(FieldReader* fields) {
    ++records_read_;
    const uint64_t address = fields->U64();
    uint64_t bytes = reading_.dataset.chunk_bytes;
    uint32_t mask = 0;
    if (reading_.dataset.filtered) {
      bytes = fields->Number(size_bytes_);
      mask = fields->U32();
    }
    for (int64_t& number : place_) {
      // Beyond 2^63 it is negative, and so outside the grid.
      number = static_cast<int64_t>(fields->U64());
    }
    return reading_.Add(place_, address, bytes, mask);
  }

  const IndexReading& reading_;
  std::vector<int64_t> place_;
  uint8_t type_ = 0;
  uint64_t node_bytes_ = 0;
  uint64_t record_bytes_ = 0;
  // Of the size of a chunk in a record; 0 where all have the same.
  uint64_t size_bytes_ = 0;
  size_t depth_ = 0;
  uint64_t root_ = 0;
  uint64_t root_records_ = 0;
  uint64_t num_records_ = 0;
  uint64_t records_read_ = 0;
  // The leaves first.
  std::vector<Level> levels_;
  std::vector<StructurePlace> children_;
};

}  // namespace

absl::Status ReadBTree2(const IndexReading& reading) {
  return BTree2(reading).Read(reading.layout.address);
}

}  // namespace internode::cube
