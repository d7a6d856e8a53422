#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

// libhdf5 makes pages of 2^10 elements.
constexpr int kMostPageBits = 20;
// Leaves room for sums of several element numbers in 64 bits.
constexpr int64_t kMostElements = int64_t{1} << 56;

}  // namespace

absl::StatusOr<ArrayElements> ArrayElements::Fixed(const IndexReading& reading,
                                                   size_t bytes) {
  ArrayElements elements(reading);
  elements.counts_ = reading.dataset.max_counts;
  elements.order_.resize(elements.counts_.size());
  std::iota(elements.order_.begin(), elements.order_.end(), size_t{0});
  INTERNODE_RETURN_IF_ERROR(elements.SetUp(bytes));
  return elements;
}

absl::StatusOr<ArrayElements> ArrayElements::Extensible(
    const IndexReading& reading, size_t bytes) {
  ArrayElements elements(reading);
  const std::vector<int64_t>& counts = reading.dataset.max_counts;
  for (size_t d = 0; d < counts.size(); ++d) {
    if (counts[d] != DatasetStorageRequest::kUnlimited) {
      elements.order_.push_back(d);
      elements.counts_.push_back(counts[d]);
      continue;
    }
    elements.order_.insert(elements.order_.begin(), d);
    // What lies beyond the current extent comes after all that is wanted.
    elements.counts_.insert(elements.counts_.begin(),
                            reading.dataset.grid.counts[d]);
  }
  INTERNODE_RETURN_IF_ERROR(elements.SetUp(bytes));
  return elements;
}

absl::Status ArrayElements::SetUp(size_t bytes) {
  bytes_ = bytes;
  const bool filtered = reading_.dataset.filtered;
  const bool fits = filtered ? bytes > kAddressBytes + kFilterMaskBytes &&
                                   bytes <= kAddressBytes + kFilterMaskBytes + 8
                             : bytes == kAddressBytes;
  if (!fits) {
    return absl::DataLossError(
        absl::StrCat("chunk index with elements of ", bytes, " bytes"));
  }
  if (reading_.layout.page_bits > kMostPageBits) {
    return absl::UnimplementedError(absl::StrCat("chunk index with pages of 2^",
                                                 reading_.layout.page_bits,
                                                 " elements"));
  }
  int64_t size = 1;
  for (int64_t count : counts_) {
    if (__builtin_mul_overflow(size, count, &size) || size > kMostElements) {
      return absl::UnimplementedError(
          "a chunk index with more than 2^56 elements");
    }
  }
  size_ = static_cast<uint64_t>(size);
  place_.resize(counts_.size());
  return absl::OkStatus();
}

absl::Status ArrayElements::Add(uint64_t first,
                                absl::Span<const std::byte> elements) {
  if (first >= size_) return absl::OkStatus();
  const uint64_t count =
      std::min<uint64_t>(elements.size() / bytes_, size_ - first);
  auto rest = static_cast<int64_t>(first);
  for (size_t i = counts_.size(); i-- > 0;) {
    place_[order_[i]] = rest % counts_[i];
    rest /= counts_[i];
  }
  FieldReader fields(elements);
  for (uint64_t n = 0; n < count; ++n) {
    const uint64_t address = fields.U64();
    uint64_t bytes = reading_.dataset.chunk_bytes;
    uint32_t mask = 0;
    if (reading_.dataset.filtered) {
      bytes = fields.Number(bytes_ - kAddressBytes - kFilterMaskBytes);
      mask = fields.U32();
    }
    if (address != kUndefined) {
      INTERNODE_RETURN_IF_ERROR(reading_.Add(place_, address, bytes, mask));
    }
    for (size_t i = counts_.size(); i-- > 0;) {
      int64_t& place = place_[order_[i]];
      if (++place < counts_[i]) break;
      place = 0;
    }
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
