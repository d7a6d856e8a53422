#include "cube/pair_inflater.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace internode::cube {
namespace {

using Bytes = std::vector<std::byte>;

// 0: stored as they are.
Bytes Deflated(const Bytes& bytes, int level) {
  libdeflate_compressor* const deflate = libdeflate_alloc_compressor(level);
  Bytes deflated(libdeflate_zlib_compress_bound(deflate, bytes.size()));
  deflated.resize(libdeflate_zlib_compress(deflate, bytes.data(), bytes.size(),
                                           deflated.data(), deflated.size()));
  libdeflate_free_compressor(deflate);
  return deflated;
}

// `bytes` bytes that libdeflate makes of `stored`; empty: it refuses.
Bytes Reference(const Bytes& stored, size_t bytes) {
  libdeflate_decompressor* const inflate = libdeflate_alloc_decompressor();
  Bytes raw(bytes);
  const libdeflate_result result = libdeflate_zlib_decompress(
      inflate, stored.data(), stored.size(), raw.data(), raw.size(), nullptr);
  libdeflate_free_decompressor(inflate);
  return result == LIBDEFLATE_SUCCESS ? raw : Bytes();
}

// Bytes of many kinds: fill, noise, periods, planes of numbers with little
// noise, repetitions from far away, and changes from one to the other.
Bytes RandomBytes(size_t count, std::mt19937* random) {
  Bytes bytes;
  while (bytes.size() < count) {
    const size_t run = 1 + (*random)() % 20000;
    const size_t kind = (*random)() % 6;
    const size_t period = 1 + (*random)() % 70;
    const size_t start = bytes.size();
    const auto first = static_cast<std::byte>((*random)());
    for (size_t i = 0; i < run; ++i) {
      std::byte next = first;
      if (kind == 1) next = static_cast<std::byte>((*random)());
      if (kind == 2 && start >= period) next = bytes[bytes.size() - period];
      if (kind == 3) next = static_cast<std::byte>((*random)() % 7);
      if (kind == 4 && start > 0) next = bytes[i % start];
      if (kind == 5) {
        next = static_cast<std::byte>((*random)() % ((*random)() % 250 + 1));
      }
      bytes.push_back(next);
    }
  }
  bytes.resize(count);
  return bytes;
}

// A target, and bytes round it that must stay.
class Target {
 public:
  explicit Target(size_t bytes) : memory_(bytes + 2 * kAround, kMark) {}

  PairInflater::Stream Of(const Bytes& stored) {
    return {.stored = stored,
            .target = memory_.data() + kAround,
            .bytes = memory_.size() - 2 * kAround};
  }
  Bytes bytes() const {
    return {memory_.begin() + kAround, memory_.end() - kAround};
  }
  bool OthersAreLeft() const {
    const auto marked = [](std::byte byte) { return byte == kMark; };
    return std::all_of(memory_.begin(), memory_.begin() + kAround, marked) &&
           std::all_of(memory_.end() - kAround, memory_.end(), marked);
  }

 private:
  static constexpr long kAround = 400;
  static constexpr std::byte kMark{0xa5};
  Bytes memory_;
};

class PairInflaterTest : public testing::Test {
 protected:
  // Each, beside another stream, gives what libdeflate gives, or is left to it.
  void ExpectAsReference(const std::array<Bytes, 2>& stored,
                         const std::array<size_t, 2>& bytes) {
    std::array<Target, 2> targets = {Target(bytes[0]), Target(bytes[1])};
    const std::array<bool, 2> whole =
        inflater_->Inflate(targets[0].Of(stored[0]), targets[1].Of(stored[1]));
    for (size_t s = 0; s < 2; ++s) {
      ASSERT_TRUE(targets[s].OthersAreLeft());
      if (whole[s]) {
        ASSERT_TRUE(targets[s].bytes() == Reference(stored[s], bytes[s]));
      }
    }
    whole_ = whole;
  }
  void ExpectBothWhole(const std::array<Bytes, 2>& stored,
                       const std::array<size_t, 2>& bytes) {
    ExpectAsReference(stored, bytes);
    EXPECT_TRUE(whole_[0]);
    EXPECT_TRUE(whole_[1]);
  }

  std::unique_ptr<PairInflater> inflater_ = std::make_unique<PairInflater>();
  std::array<bool, 2> whole_ = {false, false};
};

TEST_F(PairInflaterTest, GivesWhatWasDeflated) {
  std::mt19937 random(5);
  for (int round = 0; round < 400; ++round) {
    std::array<Bytes, 2> stored;
    std::array<size_t, 2> bytes;
    for (size_t s = 0; s < 2; ++s) {
      bytes[s] = random() % (round % 2 == 0 ? 2000 : 150000);
      const Bytes raw = RandomBytes(bytes[s], &random);
      stored[s] = Deflated(raw, static_cast<int>(random() % 13));
    }
    SCOPED_TRACE(round);
    ExpectBothWhole(stored, bytes);
    if (HasFailure()) return;
  }
}

// All lengths at which the loop must stop before the end.
TEST_F(PairInflaterTest, GivesShortStreams) {
  std::mt19937 random(6);
  for (size_t bytes = 0; bytes < 700; ++bytes) {
    const Bytes raw = RandomBytes(bytes, &random);
    const Bytes fill(bytes, std::byte{0xd8});
    ExpectBothWhole({Deflated(raw, 6), Deflated(fill, 6)}, {bytes, bytes});
    if (HasFailure()) return;
  }
}

TEST_F(PairInflaterTest, RefusesOtherSizes) {
  std::mt19937 random(7);
  const Bytes raw = RandomBytes(50000, &random);
  const Bytes stored = Deflated(raw, 4);
  for (const size_t bytes : {0U, 1U, 49000U, 49999U, 50001U, 70000U}) {
    ExpectAsReference({stored, stored}, {bytes, raw.size()});
    EXPECT_FALSE(whole_[0]) << bytes;
    EXPECT_TRUE(whole_[1]) << bytes;
  }
}

TEST_F(PairInflaterTest, RefusesWhatIsCutOff) {
  std::mt19937 random(8);
  const Bytes raw = RandomBytes(3000, &random);
  const Bytes stored = Deflated(raw, 6);
  for (size_t cut = 0; cut < stored.size(); ++cut) {
    const Bytes part(stored.begin(), stored.begin() + static_cast<long>(cut));
    ExpectAsReference({stored, part}, {raw.size(), raw.size()});
    ASSERT_TRUE(whole_[0]) << cut;
    ASSERT_FALSE(whole_[1]) << cut;
  }
}

// Damage anywhere: nothing outside the target is touched, and nothing wrong is
// taken for right.
TEST_F(PairInflaterTest, RefusesDamage) {
  std::mt19937 random(9);
  for (int round = 0; round < 3000; ++round) {
    const size_t bytes = 1 + random() % 40000;
    const Bytes raw = RandomBytes(bytes, &random);
    Bytes stored = Deflated(raw, 1 + static_cast<int>(random() % 12));
    const Bytes good = stored;
    for (size_t flips = 1 + random() % 3; flips > 0; --flips) {
      // Headers of blocks more often than their share.
      const size_t at = random() % 2 == 0
                            ? random() % stored.size()
                            : random() % std::min<size_t>(stored.size(), 90);
      stored[at] ^= static_cast<std::byte>(1 << random() % 8);
    }
    ExpectAsReference({stored, good}, {bytes, bytes});
    if (HasFailure()) return;
    ASSERT_TRUE(whole_[1]);
  }
}

// Bits, the first one lowest.
class Bits {
 public:
  Bits& Add(uint32_t bits, int count) {
    for (int b = 0; b < count; ++b, ++count_) {
      if (count_ % 8 == 0) bytes_.push_back(std::byte{0});
      if ((bits >> b & 1) != 0) {
        bytes_.back() |= static_cast<std::byte>(1 << count_ % 8);
      }
    }
    return *this;
  }
  // As a zlib stream that gives `raw`.
  Bytes Stream(const std::string& raw) const {
    Bytes stream = {std::byte{0x78}, std::byte{0x01}};
    stream.insert(stream.end(), bytes_.begin(), bytes_.end());
    const uint32_t sum = libdeflate_adler32(1, raw.data(), raw.size());
    for (int b = 24; b >= 0; b -= 8) {
      stream.push_back(static_cast<std::byte>(sum >> b));
    }
    return stream;
  }

 private:
  Bytes bytes_;
  int count_ = 0;
};

// The beginning of a last block with codes of its own: 'a' and the end of the
// block have two bits each, length 3 one, and the distances `distance` bits.
Bits BlockOf(const std::vector<uint32_t>& distance) {
  Bits bits;
  bits.Add(1, 1).Add(2, 2);
  // 258 literals and lengths, as many distances as given, 18 lengths' codes.
  bits.Add(1, 5).Add(static_cast<uint32_t>(distance.size()) - 1, 5).Add(14, 4);
  // In the order of the format: 18 and 0 have two bits, 1 and 2 too.
  for (const uint32_t symbol : {16U, 17U, 18U, 0U, 8U, 7U, 9U, 6U, 10U, 5U, 11U,
                                4U, 12U, 3U, 13U, 2U, 14U, 1U}) {
    const bool used = symbol == 18 || symbol <= 2;
    bits.Add(used ? 2 : 0, 3);
  }
  // Codes, highest bit first: 0 = 00, 1 = 01, 2 = 10, 18 = 11.
  const auto zeros = [&](uint32_t count) { bits.Add(3, 2).Add(count - 11, 7); };
  const auto length = [&](uint32_t l) {
    bits.Add(l == 0 ? 0 : l == 1 ? 2 : 1, 2);
  };
  zeros(97);
  length(2);
  zeros(138);
  zeros(20);
  length(2);
  length(1);
  for (const uint32_t d : distance) length(d);
  return bits;
}

// Codes: length 3 = 0, 'a' = 10, end = 11, highest bit first.
TEST_F(PairInflaterTest, TakesCodesOfOneDistance) {
  const Bytes one =
      BlockOf({1}).Add(1, 2).Add(0, 1).Add(0, 1).Add(3, 2).Stream("aaaa");
  ASSERT_EQ(Reference(one, 4), Bytes(4, std::byte{'a'}));
  const Bytes none = BlockOf({0}).Add(1, 2).Add(3, 2).Stream("a");
  ASSERT_EQ(Reference(none, 1), Bytes(1, std::byte{'a'}));
  ExpectBothWhole({one, none}, {4, 1});
}

TEST_F(PairInflaterTest, RefusesMatchesOfNothing) {
  // Before the first byte; a distance that has no code; one of no symbol.
  const Bytes early = BlockOf({1}).Add(0, 1).Add(0, 1).Add(3, 2).Stream("aaa");
  const Bytes unknown =
      BlockOf({1}).Add(1, 2).Add(0, 1).Add(1, 1).Add(3, 2).Stream("aaaa");
  ExpectAsReference({early, unknown}, {3, 4});
  EXPECT_FALSE(whole_[0]);
  EXPECT_FALSE(whole_[1]);
  std::vector<uint32_t> distances(32, 0);
  distances[0] = distances[31] = 1;
  const Bytes reserved =
      BlockOf(distances).Add(1, 2).Add(0, 1).Add(1, 1).Add(3, 2).Stream("aaaa");
  ExpectAsReference({reserved, early}, {4, 3});
  EXPECT_FALSE(whole_[0]);
}

TEST_F(PairInflaterTest, LeavesOtherFormatsToLibdeflate) {
  const Bytes raw(1000, std::byte{7});
  const Bytes stored = Deflated(raw, 6);
  // Another method, a dictionary, a wrong check, nothing at all.
  for (const auto& [at, flip] : std::vector<std::pair<size_t, int>>{
           {0, 0x01}, {1, 0x20}, {1, 0x01}, {0, 0x80}}) {
    Bytes other = stored;
    other[at] ^= static_cast<std::byte>(flip);
    ExpectAsReference({other, stored}, {1000, 1000});
    EXPECT_FALSE(whole_[0]);
    EXPECT_TRUE(whole_[1]);
  }
  ExpectAsReference({Bytes(), stored}, {1000, 1000});
  EXPECT_FALSE(whole_[0]);
  // More bytes behind it, which libdeflate takes.
  Bytes longer = stored;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Reference(longer, 1000), raw);
  ExpectAsReference({longer, stored}, {1000, 1000});
  EXPECT_TRUE(whole_[1]);
}

}  // namespace
}  // namespace internode::cube
