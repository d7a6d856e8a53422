// Chunk indexes of layout versions 1 to 3: B-trees of version 1 (III.A.1 of the
// format specification).

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

constexpr absl::string_view kTree1 = "B-tree node";
constexpr uint8_t kTree1OfChunks = 1;
// Signature, type, level, number of entries, neighbours.
constexpr uint64_t kTree1PrefixBytes = 24;
// Entries of a full node, unless the file says otherwise: only a guess of how
// much to read at once.
constexpr uint64_t kUsualEntries = 64;

// Reads the tree level by level, the root first.
class BTree1 {
 public:
  explicit BTree1(const IndexReading& reading)
      : reading_(reading),
        place_(reading.dataset.grid.counts.size()),
        // Size, filter mask, and an offset per dimension and for the element.
        key_bytes_(8 + 8 * (place_.size() + 1)) {}

  absl::Status Read(uint64_t root) {
    std::vector<StructurePlace> nodes = {{root, 0}};
    while (!nodes.empty()) {
      children_.clear();
      INTERNODE_RETURN_IF_ERROR(
          reading_.reader->ReadEach(std::move(nodes), NodeBytes(kUsualEntries),
                                    [this](const StructurePlace& place,
                                           absl::Span<const std::byte> bytes) {
                                      return ReadNode(place.address, bytes);
                                    }));
      nodes = std::move(children_);
      if (level_.has_value()) level_ = *level_ - 1;
    }
    return absl::OkStatus();
  }

 private:
  uint64_t NodeBytes(uint64_t entries) const {
    return kTree1PrefixBytes + entries * (key_bytes_ + kAddressBytes) +
           key_bytes_;
  }

  absl::Status ReadNode(uint64_t address, absl::Span<const std::byte> bytes) {
    FieldReader fields(bytes);
    if (!fields.Signature("TREE") || fields.U8() != kTree1OfChunks) {
      return Damaged(kTree1, address, "wrong signature");
    }
    const int level = fields.U8();
    const uint64_t entries = fields.U16();
    fields.Skip(16);
    // Each level is one less than the one above; so there are no loops.
    if (level_.has_value() && (level != *level_ || entries == 0)) {
      return Damaged(kTree1, address, "wrong level, or empty");
    }
    level_ = level;
    if (NodeBytes(entries) > bytes.size()) {
      INTERNODE_RETURN_IF_ERROR(
          reading_.reader->Read(address, NodeBytes(entries), &large_));
      fields = FieldReader(large_);
      fields.Skip(kTree1PrefixBytes);
    } else {
      INTERNODE_RETURN_IF_ERROR(reading_.reader->Charge(NodeBytes(entries)));
    }
    for (uint64_t i = 0; i < entries; ++i) {
      INTERNODE_RETURN_IF_ERROR(level == 0 ? ReadChunk(address, &fields)
                                           : ReadChild(&fields));
    }
    return absl::OkStatus();
  }

  absl::Status ReadChild(FieldReader* fields) {
    fields->Skip(key_bytes_);
    children_.push_back({fields->U64(), 0});
    return absl::OkStatus();
  }

  absl::Status ReadChunk(uint64_t node, FieldReader* fields) {
    const uint32_t bytes = fields->U32();
    const uint32_t mask = fields->U32();
    for (size_t d = 0; d < place_.size(); ++d) {
      const auto chunk = static_cast<uint64_t>(reading_.dataset.grid.chunk[d]);
      const uint64_t offset = fields->U64();
      const uint64_t number = offset / chunk;
      if (number * chunk != offset) {
        return Damaged(kTree1, node, "a chunk begins within another");
      }
      // Beyond 2^63 it is negative, and so outside the grid.
      place_[d] = static_cast<int64_t>(number);
    }
    if (fields->U64() != 0) {
      return Damaged(kTree1, node, "a chunk begins within an element");
    }
    return reading_.Add(place_, fields->U64(), bytes, mask);
  }

  const IndexReading& reading_;
  std::vector<int64_t> place_;
  const uint64_t key_bytes_;
  // Of the nodes that are read; known from the root on.
  std::optional<int> level_;
  std::vector<StructurePlace> children_;
  std::vector<std::byte> large_;
};

}  // namespace

absl::Status ReadBTree1(const IndexReading& reading) {
  return BTree1(reading).Read(reading.layout.address);
}

}  // namespace internode::cube
