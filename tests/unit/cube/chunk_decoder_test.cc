#include "cube/chunk_decoder.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/fletcher32.h"
#include "cube/shuffle.h"

namespace internode::cube {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Bytes RandomBytes(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 5);
  return bytes;
}

// The filters, as HDF5 applies them.
Bytes Shuffled(const Bytes& bytes, size_t element_bytes) {
  Bytes shuffled;
  const size_t count = bytes.size() / element_bytes;
  for (size_t b = 0; b < element_bytes; ++b) {
    for (size_t i = 0; i < count; ++i) {
      shuffled.push_back(bytes[i * element_bytes + b]);
    }
  }
  shuffled.insert(shuffled.end(),
                  bytes.begin() + static_cast<long>(count * element_bytes),
                  bytes.end());
  return shuffled;
}

Bytes Deflated(const Bytes& bytes) {
  libdeflate_compressor* const deflate = libdeflate_alloc_compressor(4);
  Bytes deflated(libdeflate_zlib_compress_bound(deflate, bytes.size()));
  deflated.resize(libdeflate_zlib_compress(deflate, bytes.data(), bytes.size(),
                                           deflated.data(), deflated.size()));
  libdeflate_free_compressor(deflate);
  return deflated;
}

Bytes Summed(Bytes bytes) {
  const uint32_t sum = Fletcher32(bytes);
  for (int b = 0; b < 4; ++b) {
    bytes.push_back(static_cast<std::byte>(sum >> (8 * b)));
  }
  return bytes;
}

Bytes Encode(const FilterPipeline& pipeline, uint32_t mask, Bytes bytes) {
  for (size_t f = 0; f < pipeline.filters.size(); ++f) {
    if ((mask >> f & 1) != 0) continue;
    switch (pipeline.filters[f]) {
      case ChunkFilter::kDeflate:
        bytes = Deflated(bytes);
        break;
      case ChunkFilter::kShuffle:
        bytes = Shuffled(bytes, pipeline.element_bytes);
        break;
      case ChunkFilter::kFletcher32:
        bytes = Summed(bytes);
        break;
    }
  }
  return bytes;
}

Bytes Reversed(Bytes bytes, size_t element_bytes) {
  for (size_t i = 0; i + element_bytes <= bytes.size(); i += element_bytes) {
    std::reverse(bytes.begin() + static_cast<long>(i),
                 bytes.begin() + static_cast<long>(i + element_bytes));
  }
  return bytes;
}

// Every order of every choice of filters, every mask, every size of numbers,
// both byte orders, both forms.
TEST(ChunkDecoderTest, UndoesEveryPipeline) {
  std::vector<std::vector<ChunkFilter>> pipelines = {{}};
  std::vector<ChunkFilter> all = {ChunkFilter::kDeflate, ChunkFilter::kShuffle,
                                  ChunkFilter::kFletcher32};
  do {
    for (size_t n = 1; n <= all.size(); ++n) {
      pipelines.emplace_back(all.begin(), all.begin() + static_cast<long>(n));
    }
  } while (std::next_permutation(all.begin(), all.end()));
  ChunkDecoder decoder;
  for (const auto& filters : pipelines) {
    for (const size_t element_bytes : {1U, 2U, 4U, 8U}) {
      for (const size_t elements : {1U, 15U, 16U, 333U}) {
        for (const bool swapped : {false, true}) {
          FilterPipeline pipeline = {.filters = filters,
                                     .element_bytes = element_bytes,
                                     .swapped = swapped,
                                     .chunk_bytes = elements * element_bytes};
          const Bytes raw = RandomBytes(pipeline.chunk_bytes, 3);
          for (uint32_t mask = 0; mask < 1u << filters.size(); ++mask) {
            const Bytes stored = Encode(pipeline, mask, raw);
            for (const bool planes : {false, true}) {
              Bytes target(raw.size() + Buffer::kSlack);
              const auto form = decoder.Decode(
                  {&pipeline, {stored, mask}, planes, target.data()});
              ASSERT_TRUE(form.ok()) << form.status();
              target.resize(raw.size());
              if (*form == ChunkForm::kPlanes) {
                ASSERT_TRUE(planes);
                ASSERT_EQ(target, Shuffled(raw, element_bytes));
              } else {
                ASSERT_EQ(target, swapped ? Reversed(raw, element_bytes) : raw);
              }
            }
          }
        }
      }
    }
  }
}

TEST(ChunkDecoderTest, KeepsWhatWasShuffledFirstShuffled) {
  FilterPipeline pipeline = {
      .filters = {ChunkFilter::kShuffle, ChunkFilter::kDeflate},
      .element_bytes = 2,
      .chunk_bytes = 200};
  const Bytes stored = Encode(pipeline, 0, RandomBytes(200, 1));
  Bytes target(200 + Buffer::kSlack);
  ChunkDecoder decoder;
  EXPECT_EQ(*decoder.Decode({&pipeline, {stored}, true, target.data()}),
            ChunkForm::kPlanes);
  EXPECT_EQ(*decoder.Decode({&pipeline, {stored}, false, target.data()}),
            ChunkForm::kNumbers);
}

// Two at once are what each is alone: same form, bytes and errors.
TEST(ChunkDecoderTest, DecodesTwoAsEachAlone) {
  const FilterPipeline numbers = {
      .filters = {ChunkFilter::kShuffle, ChunkFilter::kDeflate},
      .element_bytes = 4,
      .chunk_bytes = 4000};
  FilterPipeline summed = numbers;
  summed.element_bytes = 2;
  summed.filters.push_back(ChunkFilter::kFletcher32);
  const FilterPipeline plain = {.element_bytes = 2, .chunk_bytes = 600};
  struct Case {
    const FilterPipeline* pipeline;
    uint32_t mask;
    Bytes stored;
  };
  std::vector<Case> cases;
  unsigned seed = 0;
  for (const auto* pipeline :
       std::vector<const FilterPipeline*>{&numbers, &summed, &plain}) {
    for (uint32_t mask = 0; mask < 1u << pipeline->filters.size(); ++mask) {
      const Bytes raw = RandomBytes(pipeline->chunk_bytes, ++seed);
      const Bytes stored = Encode(*pipeline, mask, raw);
      cases.push_back({pipeline, mask, stored});
      Bytes damaged = stored;
      damaged[damaged.size() / 3] ^= std::byte{0x15};
      cases.push_back({pipeline, mask, damaged});
      damaged.resize(damaged.size() / 2);
      cases.push_back({pipeline, mask, damaged});
      // More behind it, which libdeflate leaves alone.
      damaged = stored;
      damaged.push_back(std::byte{1});
      cases.push_back({pipeline, mask, damaged});
    }
  }
  ChunkDecoder decoder;
  const auto chunk_of = [](const Case& one, Bytes* target) {
    target->assign(one.pipeline->chunk_bytes + Buffer::kSlack, std::byte{});
    return ChunkDecoder::Chunk{
        one.pipeline, {one.stored, one.mask}, true, target->data()};
  };
  for (const Case& first : cases) {
    for (const Case& second : cases) {
      Bytes alone[2];
      Bytes beside[2];
      const absl::StatusOr<ChunkForm> forms[2] = {
          decoder.Decode(chunk_of(first, &alone[0])),
          decoder.Decode(chunk_of(second, &alone[1]))};
      const ChunkDecoder::Forms two = decoder.DecodeTwo(
          chunk_of(first, &beside[0]), chunk_of(second, &beside[1]));
      for (size_t c = 0; c < 2; ++c) {
        ASSERT_EQ(two[c].status(), forms[c].status());
        if (!two[c].ok()) continue;
        ASSERT_EQ(*two[c], *forms[c]);
        ASSERT_TRUE(beside[c] == alone[c]);
      }
    }
  }
}

std::string ErrorOf(const FilterPipeline& pipeline, const Bytes& stored) {
  Bytes target(pipeline.chunk_bytes + Buffer::kSlack);
  ChunkDecoder decoder;
  const auto form = decoder.Decode({&pipeline, {stored}, false, target.data()});
  if (form.ok()) return "";
  EXPECT_EQ(form.status().code(), absl::StatusCode::kDataLoss);
  return std::string(form.status().message());
}

TEST(ChunkDecoderTest, SaysWhatIsWrong) {
  const FilterPipeline plain = {.element_bytes = 2, .chunk_bytes = 100};
  EXPECT_EQ(ErrorOf(plain, Bytes(99)), "it has 99 bytes instead of 100");
  EXPECT_EQ(ErrorOf(plain, Bytes()), "it has 0 bytes instead of 100");

  FilterPipeline deflate = plain;
  deflate.filters = {ChunkFilter::kDeflate};
  EXPECT_EQ(ErrorOf(deflate, Deflated(RandomBytes(98, 1))),
            "it decompresses to less than 100 bytes");
  EXPECT_EQ(ErrorOf(deflate, Deflated(RandomBytes(102, 1))),
            "it decompresses to more than 100 bytes");
  EXPECT_EQ(ErrorOf(deflate, Bytes()), "its deflated data are damaged");
  Bytes stored = Deflated(RandomBytes(100, 1));
  stored[stored.size() / 2] ^= std::byte{0x5a};
  EXPECT_NE(ErrorOf(deflate, stored), "");
  stored = Deflated(RandomBytes(100, 1));
  stored.pop_back();
  EXPECT_NE(ErrorOf(deflate, stored), "");

  FilterPipeline sum = plain;
  sum.filters = {ChunkFilter::kFletcher32};
  EXPECT_EQ(ErrorOf(sum, Bytes(3)), "there is no room for its checksum");
  stored = Summed(RandomBytes(100, 1));
  stored[7] ^= std::byte{1};
  EXPECT_EQ(ErrorOf(sum, stored), "its fletcher32 checksum is wrong");
  EXPECT_EQ(ErrorOf(sum, Summed(RandomBytes(98, 1))),
            "it has 98 bytes instead of 100");
}

// Values of H5_checksum_fletcher32 of HDF5 1.10.8.
TEST(Fletcher32Test, IsThatOfHdf5) {
  EXPECT_EQ(Fletcher32({}), 0u);
  EXPECT_EQ(Fletcher32(Bytes(1000, std::byte{0})), 0u);
  const Bytes one = {std::byte{1}};
  EXPECT_EQ(Fletcher32(one), 0x01000100u);
  const Bytes three = {std::byte{1}, std::byte{2}, std::byte{3}};
  EXPECT_EQ(Fletcher32(three), 0x05040402u);
  // 65535 words of 1: the sum is 65535, which stays so.
  Bytes many(131070);
  for (size_t i = 1; i < many.size(); i += 2) many[i] = std::byte{1};
  EXPECT_EQ(Fletcher32(many) & 0xffff, 0xffffu);
}

TEST(Fletcher32Test, AcceptsTheExchangedBytesOfOldFiles) {
  const Bytes bytes = RandomBytes(101, 9);
  const uint32_t sum = Fletcher32(bytes);
  const uint32_t exchanged = (sum & 0xff) << 8 | (sum >> 8 & 0xff) |
                             (sum >> 16 & 0xff) << 24 | (sum >> 24) << 16;
  EXPECT_TRUE(IsFletcher32(bytes, sum));
  EXPECT_TRUE(IsFletcher32(bytes, exchanged));
  EXPECT_FALSE(IsFletcher32(bytes, sum + 1));
}

TEST(ShuffleTest, LeavesBytesThatAreNoWholeElementAtTheEnd) {
  for (const size_t element_bytes : {1U, 2U, 3U, 4U, 5U, 8U, 16U}) {
    for (size_t count = 0; count < 200; ++count) {
      const Bytes raw = RandomBytes(count, 5);
      const Bytes shuffled = Shuffled(raw, element_bytes);
      Bytes natural(count);
      Unshuffle(shuffled, element_bytes, natural.data());
      ASSERT_EQ(natural, raw) << element_bytes << " " << count;
      UnshuffleSwapped(shuffled, element_bytes, natural.data());
      ASSERT_EQ(natural, Reversed(raw, element_bytes));
      if (element_bytes == 2 || element_bytes == 4 || element_bytes == 8) {
        SwapBytes(absl::MakeSpan(natural), element_bytes);
        ASSERT_EQ(natural, raw);
      }
    }
  }
}

}  // namespace
}  // namespace internode::cube
