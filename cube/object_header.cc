#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/hdf5_fields.h"
#include "cube/layout_message.h"

namespace internode::cube {
namespace {

constexpr absl::string_view kHeaderName = "object header";

// Types of messages.
constexpr int kExternalFiles = 0x07;
constexpr int kDataLayout = 0x08;
constexpr int kContinuation = 0x10;

constexpr int kSharedMessage = 2;

// A stretch of messages.
struct MessageBlock {
  uint64_t address = 0;
  uint64_t bytes = 0;
};

// Goes through the messages of one object.
class ObjectHeader {
 public:
  explicit ObjectHeader(StructureReader* reader) : reader_(reader) {}

  absl::StatusOr<LayoutMessage> FindLayout(uint64_t address) {
    INTERNODE_RETURN_IF_ERROR(ReadFirst(address));
    // A sound header has each continuation once.
    std::set<uint64_t> seen;
    while (!waiting_.empty()) {
      const MessageBlock block = waiting_.back();
      waiting_.pop_back();
      if (!seen.insert(block.address).second) {
        return Damaged(kHeaderName, address, "a continuation comes twice");
      }
      INTERNODE_RETURN_IF_ERROR(ReadContinuation(block));
    }
    if (layout_.has_value()) return *std::move(layout_);
    return Damaged(kHeaderName, address, "no data layout");
  }

 private:
  absl::Status ReadFirst(uint64_t address) {
    constexpr uint64_t kVersion1Bytes = 16;
    INTERNODE_RETURN_IF_ERROR(reader_->Read(address, kVersion1Bytes, &buffer_));
    if (FieldReader(buffer_).Signature("OHDR")) return ReadFirst2(address);
    FieldReader fields(buffer_);
    const int version = fields.U8();
    if (version != 1) {
      return absl::UnimplementedError(
          absl::StrCat("object header version ", version));
    }
    fields.Skip(7);  // A reserved byte, numbers of messages and of links.
    const uint64_t bytes = fields.U32();
    version_ = 1;
    INTERNODE_RETURN_IF_ERROR(
        reader_->Read(address + kVersion1Bytes, bytes, &buffer_));
    return ReadMessages(buffer_, address + kVersion1Bytes);
  }

  absl::Status ReadFirst2(uint64_t address) {
    FieldReader fields(buffer_);
    fields.Skip(4);
    const int version = fields.U8();
    if (version != 2) {
      return absl::UnimplementedError(
          absl::StrCat("object header version ", version));
    }
    version_ = 2;
    const int flags = fields.U8();
    has_order_ = (flags & 4) != 0;
    // Where the size of the block is: after the four times, and the limits of
    // compact storage of attributes.
    const size_t size_at = fields.position() + ((flags & 0x20) != 0 ? 16u : 0) +
                           ((flags & 0x10) != 0 ? 4u : 0);
    const size_t size_bytes = size_t{1} << (flags & 3);
    INTERNODE_RETURN_IF_ERROR(
        reader_->Read(address, size_at + size_bytes, &buffer_));
    fields = FieldReader(buffer_);
    fields.Skip(size_at);
    const uint64_t bytes = fields.Number(size_bytes);
    if (bytes > StructureReader::kLargest) {
      return Damaged(kHeaderName, address, "too large");
    }
    const size_t begin = fields.position();
    INTERNODE_RETURN_IF_ERROR(ReadChecked({address, begin + bytes + 4}));
    return ReadMessages(absl::MakeConstSpan(buffer_).subspan(begin, bytes),
                        address + begin);
  }

  absl::Status ReadContinuation(const MessageBlock& block) {
    if (version_ == 1) {
      INTERNODE_RETURN_IF_ERROR(
          reader_->Read(block.address, block.bytes, &buffer_));
      return ReadMessages(buffer_, block.address);
    }
    constexpr size_t kAround = 8;  // The signature, and the checksum.
    if (block.bytes < kAround) {
      return Damaged(kHeaderName, block.address, "too short");
    }
    INTERNODE_RETURN_IF_ERROR(ReadChecked(block));
    if (!FieldReader(buffer_).Signature("OCHK")) {
      return Damaged(kHeaderName, block.address, "wrong signature");
    }
    return ReadMessages(
        absl::MakeConstSpan(buffer_).subspan(4, block.bytes - kAround),
        block.address + 4);
  }

  // Reads a block that ends with a checksum.
  absl::Status ReadChecked(const MessageBlock& block) {
    INTERNODE_RETURN_IF_ERROR(
        reader_->Read(block.address, block.bytes, &buffer_));
    FieldReader fields(buffer_);
    fields.Skip(block.bytes - 4);
    if (fields.Checksum()) return absl::OkStatus();
    return Damaged(kHeaderName, block.address, "wrong checksum");
  }

  absl::Status ReadMessages(absl::Span<const std::byte> bytes,
                            uint64_t address) {
    FieldReader fields(bytes);
    const size_t prefix = version_ == 1 ? 8 : has_order_ ? 6 : 4;
    // Version 2 may leave a gap that is too small for a message.
    while (fields.remaining() >= prefix) {
      const int type = version_ == 1 ? fields.U16() : fields.U8();
      const size_t size = fields.U16();
      const int flags = fields.U8();
      fields.Skip(prefix - (version_ == 1 ? 5u : 4u));
      const uint64_t begin = address + fields.position();
      const absl::Span<const std::byte> message = fields.Take(size);
      if (!fields.ok())
        return Damaged(kHeaderName, begin, "a message is cut off");
      INTERNODE_RETURN_IF_ERROR(ReadMessage(type, flags, message, begin));
    }
    return absl::OkStatus();
  }

  absl::Status ReadMessage(int type, int flags,
                           absl::Span<const std::byte> message,
                           uint64_t address) {
    if (type == kExternalFiles) {
      return absl::UnimplementedError("external files");
    }
    if (type == kContinuation) {
      FieldReader fields(message);
      const MessageBlock block{fields.U64(), fields.U64()};
      if (!fields.ok()) return Damaged(kHeaderName, address, "cut off");
      waiting_.push_back(block);
      return absl::OkStatus();
    }
    if (type != kDataLayout) return absl::OkStatus();
    if ((flags & kSharedMessage) != 0) {
      return absl::UnimplementedError("a shared data layout");
    }
    if (layout_.has_value()) {
      return Damaged(kHeaderName, address, "a second data layout");
    }
    INTERNODE_ASSIGN_OR_RETURN(layout_, ParseLayoutMessage(message, address));
    return absl::OkStatus();
  }

  StructureReader* const reader_;
  int version_ = 0;
  // Each message of version 2 has the number of its creation.
  bool has_order_ = false;
  std::vector<MessageBlock> waiting_;
  std::vector<std::byte> buffer_;
  std::optional<LayoutMessage> layout_;
};

}  // namespace

absl::StatusOr<LayoutMessage> FindLayoutMessage(uint64_t address,
                                                StructureReader* reader) {
  return ObjectHeader(reader).FindLayout(address);
}

}  // namespace internode::cube
