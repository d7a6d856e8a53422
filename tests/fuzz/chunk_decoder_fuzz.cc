// Storage chunks from untrusted bytes, through every pipeline of filters. What
// is decoded must be whole, and the same again; what is not must say why.
//
// Input: a byte for the size of numbers, the byte order and the form; one for
// the filter mask; one for the number of filters and one for each; two for the
// numbers of the chunk; then the stored bytes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/status/status.h"

#include "cube/chunk_decoder.h"

namespace internode::cube {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint8_t Byte() { return at_ < size_ ? data_[at_++] : uint8_t{0}; }
  absl::Span<const std::byte> Rest() const {
    return absl::MakeConstSpan(reinterpret_cast<const std::byte*>(data_) + at_,
                               size_ - at_);
  }

 private:
  const uint8_t* const data_;
  const size_t size_;
  size_t at_ = 0;
};

FilterPipeline PipelineOf(uint8_t kind, Input* input) {
  FilterPipeline pipeline;
  pipeline.element_bytes = size_t{1} << (kind & 3);
  pipeline.swapped = (kind & 4) != 0;
  bool deflated = false;
  for (int left = input->Byte() % 6; left > 0; --left) {
    const uint8_t filter = input->Byte() % 3;
    // More than one is read by the library.
    if (filter == 0 && deflated) continue;
    deflated = deflated || filter == 0;
    pipeline.filters.push_back(static_cast<ChunkFilter>(filter));
  }
  const size_t numbers = input->Byte() | size_t{input->Byte()} << 8;
  pipeline.chunk_bytes = (1 + numbers % 9000) * pipeline.element_bytes;
  return pipeline;
}

}  // namespace
}  // namespace internode::cube

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using internode::cube::Buffer;
  using internode::cube::ChunkDecoder;
  using internode::cube::ChunkForm;
  using internode::cube::Require;
  internode::cube::Input input(data, size);
  const uint8_t kind = input.Byte();
  const uint32_t mask = input.Byte();
  const bool planes = (kind & 8) != 0;
  const auto pipeline = internode::cube::PipelineOf(kind, &input);
  const auto stored = input.Rest();
  if (stored.size() > ChunkDecoder::MostStoredBytes(pipeline)) return 0;
  ChunkDecoder decoder;
  std::vector<std::byte> first(pipeline.chunk_bytes + Buffer::kSlack);
  std::vector<std::byte> second(first.size(), std::byte{0x77});
  std::vector<std::byte> third(first.size(), std::byte{0x33});
  const auto form =
      decoder.Decode({&pipeline, {stored, mask}, planes, first.data()});
  // Two at once: what is deflated goes another way, and must come to the same.
  const ChunkDecoder::Forms two =
      decoder.DecodeTwo({&pipeline, {stored, mask}, planes, second.data()},
                        {&pipeline, {stored, mask}, planes, third.data()});
  const absl::StatusOr<ChunkForm>& again = two[0];
  Require(decoder.scratch_bytes() <= 4 * first.size() + (size_t{1} << 17));
  Require(form.status() == again.status());
  Require(form.status() == two[1].status());
  if (!form.ok()) {
    Require(absl::IsDataLoss(form.status()));
    Require(!form.status().message().empty());
    return 0;
  }
  Require(*form == *again);
  Require(planes || *form == ChunkForm::kNumbers);
  first.resize(pipeline.chunk_bytes);
  second.resize(pipeline.chunk_bytes);
  third.resize(pipeline.chunk_bytes);
  Require(first == second);
  Require(first == third);
  return 0;
}
