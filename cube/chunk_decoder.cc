#include "cube/chunk_decoder.h"

#include <libdeflate.h>

#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/fletcher32.h"
#include "cube/pair_inflater.h"
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

// A storage chunk whose filters are being undone, the last one first.
class Undoing {
 public:
  Undoing(const ChunkDecoder::Chunk& chunk, std::array<Buffer, 2>* scratch)
      : pipeline_(*chunk.pipeline),
        mask_(chunk.stored.filter_mask),
        planes_(chunk.planes),
        target_(chunk.target),
        scratch_(*scratch),
        bytes_(chunk.stored.bytes),
        next_(pipeline_.filters.size()),
        swapped_(pipeline_.swapped && pipeline_.element_bytes > 1) {
    // The first filters that were left out are as if they did not exist.
    while (first_ < next_ && !Applies(mask_, first_)) ++first_;
  }

  // Up to what is to be inflated next, or to the end.
  absl::Status Advance();
  bool is_deflated() const { return next_ > first_; }

  // What is_deflated() is about: room for `bytes`, to which it must come
  // exactly.
  PairInflater::Stream Deflated();
  void Inflated(const PairInflater::Stream& stream) {
    --next_;
    bytes_ = absl::MakeConstSpan(stream.target, stream.bytes);
  }

  // After the end: the form in which the chunk is at the target.
  absl::StatusOr<ChunkForm> Finish();

 private:
  // Where filter `filter` is undone to, which leaves `wanted` bytes.
  std::byte* Room(size_t filter, size_t wanted);
  // The numbers may stay as filter `filter` has put them.
  bool MayStay(size_t filter) const {
    return planes_ && filter == first_ &&
           pipeline_.filters[filter] == ChunkFilter::kShuffle;
  }

  const FilterPipeline& pipeline_;
  const uint32_t mask_;
  const bool planes_;
  std::byte* const target_;
  std::array<Buffer, 2>& scratch_;
  absl::Span<const std::byte> bytes_;
  // Filters [first_, next_) are left.
  size_t first_ = 0;
  size_t next_;
  bool swapped_;
  ChunkForm form_ = ChunkForm::kNumbers;
};

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

absl::Status Undoing::Advance() {
  for (; next_ > first_; --next_) {
    const size_t filter = next_ - 1;
    if (!Applies(mask_, filter)) continue;
    switch (pipeline_.filters[filter]) {
      case ChunkFilter::kDeflate:
        return absl::OkStatus();
      case ChunkFilter::kFletcher32:
        INTERNODE_RETURN_IF_ERROR(CheckSum(&bytes_));
        break;
      case ChunkFilter::kShuffle: {
        if (MayStay(filter) && bytes_.size() == pipeline_.chunk_bytes) {
          form_ = ChunkForm::kPlanes;
          break;
        }
        std::byte* const to = Room(filter, bytes_.size());
        if (to == target_ && swapped_) {
          UnshuffleSwapped(bytes_, pipeline_.element_bytes, to);
          swapped_ = false;
        } else {
          Unshuffle(bytes_, pipeline_.element_bytes, to);
        }
        bytes_ = absl::MakeConstSpan(to, bytes_.size());
        break;
      }
    }
  }
  return absl::OkStatus();
}

PairInflater::Stream Undoing::Deflated() {
  const size_t filter = next_ - 1;
  const size_t bytes = BytesBefore(pipeline_, mask_, filter);
  return {.stored = bytes_, .target = Room(filter, bytes), .bytes = bytes};
}

std::byte* Undoing::Room(size_t filter, size_t wanted) {
  // The chunk is whole after this one, or after a shuffle that stays.
  bool last = wanted == pipeline_.chunk_bytes;
  for (size_t f = first_; f < filter; ++f) {
    last = last && (!Applies(mask_, f) || MayStay(f));
  }
  if (last) return target_;
  // The one that the bytes do not lie in.
  const bool in_first = bytes_.data() == scratch_[0].data();
  return scratch_[in_first ? 1 : 0].Reserve(wanted);
}

absl::StatusOr<ChunkForm> Undoing::Finish() {
  if (bytes_.size() != pipeline_.chunk_bytes) {
    return absl::DataLossError(absl::StrCat(
        "it has ", bytes_.size(), " bytes instead of ", pipeline_.chunk_bytes));
  }
  if (bytes_.data() != target_ && !bytes_.empty()) {
    std::memcpy(target_, bytes_.data(), bytes_.size());
  }
  if (swapped_ && form_ == ChunkForm::kNumbers) {
    SwapBytes(absl::MakeSpan(target_, bytes_.size()), pipeline_.element_bytes);
  }
  return form_;
}

}  // namespace

struct ChunkDecoder::Inflater {
  Inflater() : deflate(libdeflate_alloc_decompressor()) {
    if (deflate == nullptr) throw std::bad_alloc();
  }
  ~Inflater() { libdeflate_free_decompressor(deflate); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  absl::Status Inflate(const PairInflater::Stream& stream) const {
    switch (libdeflate_zlib_decompress(deflate, stream.stored.data(),
                                       stream.stored.size(), stream.target,
                                       stream.bytes, nullptr)) {
      case LIBDEFLATE_SUCCESS:
        return absl::OkStatus();
      case LIBDEFLATE_SHORT_OUTPUT:
        return absl::DataLossError(absl::StrCat("it decompresses to less than ",
                                                stream.bytes, " bytes"));
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        return absl::DataLossError(absl::StrCat("it decompresses to more than ",
                                                stream.bytes, " bytes"));
      default:
        return absl::DataLossError("its deflated data are damaged");
    }
  }

  // Undoes what is left of a chunk.
  absl::StatusOr<ChunkForm> Finish(Undoing* chunk) const {
    for (;;) {
      INTERNODE_RETURN_IF_ERROR(chunk->Advance());
      if (!chunk->is_deflated()) return chunk->Finish();
      const PairInflater::Stream stream = chunk->Deflated();
      INTERNODE_RETURN_IF_ERROR(Inflate(stream));
      chunk->Inflated(stream);
    }
  }

  libdeflate_decompressor* const deflate;
  PairInflater pair;
};

ChunkDecoder::ChunkDecoder() : inflater_(std::make_unique<Inflater>()) {}
ChunkDecoder::~ChunkDecoder() = default;

size_t ChunkDecoder::MostStoredBytes(const FilterPipeline& pipeline) {
  return pipeline.chunk_bytes + pipeline.chunk_bytes / 4 + (size_t{1} << 16);
}

absl::StatusOr<ChunkForm> ChunkDecoder::Decode(const Chunk& chunk) {
  Undoing undoing(chunk, &scratch_[0]);
  return inflater_->Finish(&undoing);
}

ChunkDecoder::Forms ChunkDecoder::DecodeTwo(const Chunk& first,
                                            const Chunk& second) {
  std::array<Undoing, 2> chunks = {Undoing(first, &scratch_[0]),
                                   Undoing(second, &scratch_[1])};
  // An error comes again below.
  if (chunks[0].Advance().ok() && chunks[1].Advance().ok() &&
      chunks[0].is_deflated() && chunks[1].is_deflated()) {
    const std::array<PairInflater::Stream, 2> streams = {chunks[0].Deflated(),
                                                         chunks[1].Deflated()};
    const std::array<bool, 2> whole =
        inflater_->pair.Inflate(streams[0], streams[1]);
    for (size_t c = 0; c < 2; ++c) {
      if (whole[c]) chunks[c].Inflated(streams[c]);
    }
  }
  return {inflater_->Finish(&chunks[0]), inflater_->Finish(&chunks[1])};
}

size_t ChunkDecoder::scratch_bytes() const {
  size_t bytes = 0;
  for (const std::array<Buffer, 2>& buffers : scratch_) {
    bytes += buffers[0].capacity() + buffers[1].capacity();
  }
  return bytes;
}

}  // namespace internode::cube
