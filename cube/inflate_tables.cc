#include "cube/inflate_tables.h"

#include <algorithm>
#include <bit>

namespace internode::cube {
namespace {

constexpr int kMostBits = 15;

// What the symbols mean: entries without the bits of a code.
constexpr std::array<uint32_t, kLiteralSymbols> LiteralMeanings() {
  std::array<uint32_t, kLiteralSymbols> meanings{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    meanings[byte] = kLiteral | byte << 16;
  }
  meanings[256] = kOther | kEndOfBlock;
  // Lengths 3 to 10 have codes of their own; then four codes each take one bit
  // more than the four before.
  uint32_t length = 3;
  for (uint32_t code = 0; code < 28; ++code) {
    const uint32_t extra = code < 8 ? 0 : code / 4 - 1;
    meanings[257 + code] = length << 16 | extra;
    length += uint32_t{1} << extra;
  }
  meanings[285] = uint32_t{258} << 16;
  meanings[286] = meanings[287] = kOther | kNoCode;
  return meanings;
}

constexpr std::array<uint32_t, kDistanceSymbols> DistanceMeanings() {
  std::array<uint32_t, kDistanceSymbols> meanings{};
  uint32_t distance = 1;
  for (uint32_t code = 0; code < 30; ++code) {
    const uint32_t extra = code < 4 ? 0 : code / 2 - 1;
    meanings[code] = distance << 16 | extra;
    distance += uint32_t{1} << extra;
  }
  meanings[30] = meanings[31] = kOther | kNoCode;
  return meanings;
}

constexpr std::array<uint32_t, kLengthSymbols> LengthMeanings() {
  std::array<uint32_t, kLengthSymbols> meanings{};
  for (uint32_t s = 0; s < kLengthSymbols; ++s) meanings[s] = s << 16;
  return meanings;
}

constexpr auto kLiteralMeanings = LiteralMeanings();
constexpr auto kDistanceMeanings = DistanceMeanings();
constexpr auto kLengthMeanings = LengthMeanings();

constexpr uint32_t Entry(uint32_t meaning, int bits) {
  return meaning + (static_cast<uint32_t>(bits) << 8) +
         static_cast<uint32_t>(bits);
}

// Symbols in the order of their codes, which is that of their lengths, and for
// equal ones their own.
struct SortedCode {
  std::array<uint32_t, kMostBits + 1> counts{};
  std::array<uint16_t, kLiteralSymbols> symbols;
  // Of all codes of kMostBits bits, how many begin with one of these.
  uint32_t taken = 0;

  explicit SortedCode(absl::Span<const uint8_t> lengths) {
    for (const uint8_t length : lengths) ++counts[length];
    counts[0] = 0;
    std::array<uint32_t, kMostBits + 1> next{};
    for (size_t bits = 1; bits <= kMostBits; ++bits) {
      next[bits] = next[bits - 1] + counts[bits - 1];
      taken += counts[bits] << (static_cast<size_t>(kMostBits) - bits);
    }
    for (size_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] > 0) {
        symbols[next[lengths[s]]++] = static_cast<uint16_t>(s);
      }
    }
  }
  bool complete() const { return taken == uint32_t{1} << kMostBits; }
};

// Codes one after the other, as numbers whose lowest bit comes first.
class Code {
 public:
  uint32_t value() const { return value_; }
  // Whether it was the last one of `bits` bits; else it is the next one now.
  // Longer codes go on from there, their further bits zero.
  bool IsLast(int bits) const { return value_ == (uint32_t{1} << bits) - 1; }
  void Next(int bits) {
    // One is added to the number that is the other way round.
    const uint32_t ones = (uint32_t{1} << bits) - 1;
    const uint32_t carry = std::bit_floor(value_ ^ ones);
    value_ = (value_ & (carry - 1)) | carry;
  }

 private:
  uint32_t value_ = 0;
};

// Fills a table of a complete code.
void Fill(SortedCode code, const uint32_t* meanings, int width,
          uint32_t* table) {
  const uint16_t* symbol = code.symbols.data();
  std::array<uint32_t, kMostBits + 1>& counts = code.counts;
  Code at;
  int bits = 1;
  // Entries up to `size` are right for codes that are no longer than `bits`;
  // the table grows by copies of itself.
  uint32_t size = 2;
  const auto grow = [&] {
    std::copy_n(table, size, table + size);
    size *= 2;
  };
  for (; bits <= width; ++bits) {
    for (uint32_t left = counts[static_cast<size_t>(bits)]; left > 0; --left) {
      table[at.value()] = Entry(meanings[*symbol++], bits);
      if (at.IsLast(bits)) {
        for (; bits < width; ++bits) grow();
        return;
      }
      at.Next(bits);
    }
    if (bits < width) grow();
  }
  // Longer codes: a further table for each beginning.
  const uint32_t beginnings = (uint32_t{1} << width) - 1;
  uint32_t beginning = ~uint32_t{0};
  uint32_t start = 0;
  uint32_t end = uint32_t{1} << width;
  for (;; ++bits) {
    for (uint32_t left = counts[static_cast<size_t>(bits)]; left > 0; --left) {
      if ((at.value() & beginnings) != beginning) {
        beginning = at.value() & beginnings;
        // As wide as it takes until the codes that begin so are complete.
        int more = bits - width;
        uint32_t room = left;
        while (room < uint32_t{1} << more) {
          ++more;
          room = 2 * room + counts[static_cast<size_t>(width + more)];
        }
        start = end;
        end = start + (uint32_t{1} << more);
        table[beginning] = start << 16 | kOther |
                           static_cast<uint32_t>(more) << 8 |
                           static_cast<uint32_t>(width);
      }
      const uint32_t entry = Entry(meanings[*symbol++], bits - width);
      for (uint32_t i = start + (at.value() >> width); i < end;
           i += uint32_t{1} << (bits - width)) {
        table[i] = entry;
      }
      if (at.IsLast(bits)) return;
      at.Next(bits);
    }
  }
}

}  // namespace

bool BuildLiteralTable(absl::Span<const uint8_t> lengths,
                       InflateTables* tables) {
  const SortedCode code(lengths);
  if (!code.complete()) return false;
  Fill(code, kLiteralMeanings.data(), kLiteralTableBits,
       tables->literals.data());
  return true;
}

bool BuildDistanceTable(absl::Span<const uint8_t> lengths,
                        InflateTables* tables) {
  const SortedCode code(lengths);
  if (code.complete()) {
    Fill(code, kDistanceMeanings.data(), kDistanceTableBits,
         tables->distances.data());
    return true;
  }
  // One distance has a code of one bit, the other of which has no meaning.
  const bool one = code.counts[1] == 1 && code.taken == uint32_t{1}
                                                            << (kMostBits - 1);
  if (!one && code.taken != 0) return false;
  tables->distances.fill(kOther | kNoCode);
  for (size_t i = 0; one && i < size_t{1} << kDistanceTableBits; i += 2) {
    tables->distances[i] = Entry(kDistanceMeanings[code.symbols[0]], 1);
  }
  return true;
}

bool BuildLengthTable(const std::array<uint8_t, kLengthSymbols>& lengths,
                      LengthTable* table) {
  const SortedCode code(lengths);
  if (!code.complete()) return false;
  Fill(code, kLengthMeanings.data(), kLengthTableBits, table->data());
  return true;
}

}  // namespace internode::cube
