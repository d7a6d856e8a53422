#include "cube/chunk_decoder.h"

#include <libdeflate.h>

#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/fletcher32.h"
#include "cube/shuffle.h"

namespace internode::cube {
namespace {

constexpr size_t kSumBytes = 4;

bool Applies(uint32_t filter_mask, size_t filter) {
  return filter >= 32 || (filter_mask >> filter & 1) == 0;
}

// The bytes that filter `filter` was given: a whole chunk, and the checksums
// of the filters before it.
size_t BytesBefore(const FilterPipeline& pipeline, uint32_t filter_mask,
                   size_t filter) {
  size_t bytes = pipeline.chunk_bytes;
  for (size_t f = 0; f < filter; ++f) {
    if (pipeline.filters[f] == ChunkFilter::kFletcher32 &&
        Applies(filter_mask, f)) {
      bytes += kSumBytes;
    }
  }
  return bytes;
}

absl::Status CheckSum(absl::Span<const std::byte>* bytes) {
  if (bytes->size() < kSumBytes) {
    return absl::DataLossError("there is no room for its checksum");
  }
  const absl::Span<const std::byte> data =
      bytes->subspan(0, bytes->size() - kSumBytes);
  uint32_t stored = 0;
  for (size_t b = kSumBytes; b-- > 0;) {
    stored = stored << 8 | static_cast<uint32_t>((*bytes)[data.size() + b]);
  }
  if (!IsFletcher32(data, stored)) {
    return absl::DataLossError("its fletcher32 checksum is wrong");
  }
  *bytes = data;
  return absl::OkStatus();
}

}  // namespace

struct ChunkDecoder::Inflater {
  Inflater() : deflate(libdeflate_alloc_decompressor()) {
    if (deflate == nullptr) throw std::bad_alloc();
  }
  ~Inflater() { libdeflate_free_decompressor(deflate); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // `bytes` must come out exactly.
  absl::Status Inflate(absl::Span<const std::byte> stored, std::byte* target,
                       size_t bytes) const {
    switch (libdeflate_zlib_decompress(deflate, stored.data(), stored.size(),
                                       target, bytes, nullptr)) {
      case LIBDEFLATE_SUCCESS:
        return absl::OkStatus();
      case LIBDEFLATE_SHORT_OUTPUT:
        return absl::DataLossError(
            absl::StrCat("it decompresses to less than ", bytes, " bytes"));
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        return absl::DataLossError(
            absl::StrCat("it decompresses to more than ", bytes, " bytes"));
      default:
        return absl::DataLossError("its deflated data are damaged");
    }
  }

  libdeflate_decompressor* const deflate;
};

ChunkDecoder::ChunkDecoder() : inflater_(std::make_unique<Inflater>()) {}
ChunkDecoder::~ChunkDecoder() = default;

size_t ChunkDecoder::MostStoredBytes(const FilterPipeline& pipeline) {
  return pipeline.chunk_bytes + pipeline.chunk_bytes / 4 + (size_t{1} << 16);
}

Buffer& ChunkDecoder::OtherScratch(absl::Span<const std::byte> bytes) {
  return scratch_[bytes.data() == scratch_[0].data() ? 1 : 0];
}

absl::StatusOr<ChunkForm> ChunkDecoder::Decode(
    const FilterPipeline& pipeline, uint32_t filter_mask,
    absl::Span<const std::byte> stored, bool planes, std::byte* target) {
  const auto applies = [&](size_t f) {
    return f < pipeline.filters.size() && Applies(filter_mask, f);
  };
  // The first filters that were left out are as if they did not exist.
  size_t first = 0;
  while (first < pipeline.filters.size() && !applies(first)) ++first;
  absl::Span<const std::byte> bytes = stored;
  ChunkForm form = ChunkForm::kNumbers;
  bool swapped = pipeline.swapped && pipeline.element_bytes > 1;
  for (size_t f = pipeline.filters.size(); f-- > first;) {
    if (!applies(f)) continue;
    const ChunkFilter filter = pipeline.filters[f];
    if (filter == ChunkFilter::kFletcher32) {
      INTERNODE_RETURN_IF_ERROR(CheckSum(&bytes));
      continue;
    }
    if (filter == ChunkFilter::kShuffle && f == first && planes &&
        bytes.size() == pipeline.chunk_bytes) {
      form = ChunkForm::kPlanes;
      break;
    }
    const size_t wanted = filter == ChunkFilter::kDeflate
                              ? BytesBefore(pipeline, filter_mask, f)
                              : bytes.size();
    // The chunk is whole after this one, or after a shuffle that stays.
    bool last = wanted == pipeline.chunk_bytes;
    for (size_t g = first; g < f; ++g) {
      last = last &&
             (!applies(g) || (g == first && planes &&
                              pipeline.filters[g] == ChunkFilter::kShuffle));
    }
    std::byte* const to = last ? target : OtherScratch(bytes).Reserve(wanted);
    if (filter == ChunkFilter::kDeflate) {
      INTERNODE_RETURN_IF_ERROR(inflater_->Inflate(bytes, to, wanted));
    } else if (last && swapped) {
      UnshuffleSwapped(bytes, pipeline.element_bytes, to);
      swapped = false;
    } else {
      Unshuffle(bytes, pipeline.element_bytes, to);
    }
    bytes = absl::MakeConstSpan(to, wanted);
  }
  if (bytes.size() != pipeline.chunk_bytes) {
    return absl::DataLossError(absl::StrCat(
        "it has ", bytes.size(), " bytes instead of ", pipeline.chunk_bytes));
  }
  if (bytes.data() != target && !bytes.empty()) {
    std::memcpy(target, bytes.data(), bytes.size());
  }
  if (swapped && form == ChunkForm::kNumbers) {
    SwapBytes(absl::MakeSpan(target, bytes.size()), pipeline.element_bytes);
  }
  return form;
}

}  // namespace internode::cube
