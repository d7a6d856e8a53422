#include "cube/chunk_array_pages.h"

#include <utility>

#include "base/status_macros.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

constexpr size_t kMostPagesAtOnce = 4096;

}  // namespace

bool BitIsSet(absl::Span<const std::byte> bitmap, uint64_t bit) {
  const uint64_t byte = bit / 8;
  if (byte >= bitmap.size()) return false;
  return (bitmap[byte] & (std::byte{0x80} >> (bit % 8))) != std::byte{0};
}

uint64_t ArrayPages::page_bytes() const {
  return page_elements_ * elements_->bytes() + kChecksumBytes;
}

absl::Status ArrayPages::Add(uint64_t address, uint64_t first, uint64_t count) {
  if (count != page_elements_) {
    short_first_ = first;
    short_count_ = count;
  }
  waiting_.push_back({address, first});
  return waiting_.size() < kMostPagesAtOnce ? absl::OkStatus() : Flush();
}

absl::Status ArrayPages::Flush() {
  return reader_->ReadEach(
      std::exchange(waiting_, {}), page_bytes(),
      [this](const StructurePlace& place, absl::Span<const std::byte> bytes) {
        return ReadPage(place, bytes);
      });
}

absl::Status ArrayPages::ReadPage(const StructurePlace& place,
                                  absl::Span<const std::byte> bytes) {
  const bool is_short = short_count_ > 0 && place.tag == short_first_;
  const uint64_t used =
      (is_short ? short_count_ : page_elements_) * elements_->bytes();
  INTERNODE_RETURN_IF_ERROR(reader_->Charge(used + kChecksumBytes));
  FieldReader fields(bytes);
  const absl::Span<const std::byte> elements = fields.Take(used);
  if (!fields.Checksum()) {
    return Damaged("page of a chunk index", place.address, "wrong checksum");
  }
  return elements_->Add(place.tag, elements);
}

}  // namespace internode::cube
