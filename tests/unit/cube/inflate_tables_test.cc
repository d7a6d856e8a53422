#include "cube/inflate_tables.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace internode::cube {
namespace {

// A complete code of `symbols` symbols of up to `most` bits: codes are split
// at random.
std::vector<uint8_t> CompleteCode(size_t symbols, int most,
                                  std::mt19937* random) {
  std::vector<uint8_t> codes = {1, 1};
  while (codes.size() < symbols) {
    const size_t at = (*random)() % codes.size();
    if (codes[at] < most) {
      ++codes[at];
      codes.push_back(codes[at]);
    }
  }
  return codes;
}

// As `lengths`, at random places among `symbols` symbols.
std::vector<uint8_t> Spread(std::vector<uint8_t> lengths, size_t symbols,
                            std::mt19937* random) {
  lengths.resize(symbols);
  std::shuffle(lengths.begin(), lengths.end(), *random);
  return lengths;
}

// The codes of RFC 1951, section 3.2.2, first bit lowest.
std::vector<uint32_t> CodesOf(const std::vector<uint8_t>& lengths) {
  std::array<uint32_t, 16> counts{};
  for (const uint8_t length : lengths) ++counts[length];
  counts[0] = 0;
  std::array<uint32_t, 16> next{};
  for (size_t bits = 1; bits < 16; ++bits) {
    next[bits] = (next[bits - 1] + counts[bits - 1]) << 1;
  }
  std::vector<uint32_t> codes;
  for (const uint8_t length : lengths) {
    uint32_t code = length > 0 ? next[length]++ : 0;
    uint32_t reversed = 0;
    for (int b = 0; b < length; ++b, code >>= 1) {
      reversed = reversed << 1 | (code & 1);
    }
    codes.push_back(reversed);
  }
  return codes;
}

// The entry that `bits` lead to, and how many bits of a code that takes.
template <typename Table>
uint32_t Look(const Table& table, int width, uint32_t bits, uint32_t* taken) {
  uint32_t entry = table[bits & ((uint32_t{1} << width) - 1)];
  *taken = 0;
  if ((entry & kOther) != 0 && (entry & (kNoCode | kEndOfBlock)) == 0) {
    EXPECT_EQ(entry & 0xff, static_cast<uint32_t>(width));
    *taken = static_cast<uint32_t>(width);
    const uint32_t more = entry >> 8 & 15;
    entry =
        table[(entry >> 16) + (bits >> width & ((uint32_t{1} << more) - 1))];
  }
  *taken += entry >> 31 != 0 ? entry & 0xff : entry >> 8 & 15;
  return entry;
}

// Whatever comes behind a code, its symbol is found.
TEST(InflateTablesTest, FindsEverySymbolOfRandomCodes) {
  std::mt19937 random(11);
  const auto tables = std::make_unique<InflateTables>();
  for (int round = 0; round < 300; ++round) {
    const size_t symbols = 2 + random() % (kLiteralSymbols - 1);
    const int most = symbols > 200 ? 15 : 9 + static_cast<int>(random() % 7);
    const std::vector<uint8_t> lengths =
        Spread(CompleteCode(symbols, most, &random), kLiteralSymbols, &random);
    const std::vector<uint32_t> codes = CodesOf(lengths);
    ASSERT_TRUE(BuildLiteralTable(lengths, tables.get()));
    for (size_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] == 0) continue;
      for (int i = 0; i < 4; ++i) {
        const uint32_t bits = codes[s] | static_cast<uint32_t>(random())
                                             << lengths[s];
        uint32_t taken = 0;
        const uint32_t entry =
            Look(tables->literals, kLiteralTableBits, bits, &taken);
        ASSERT_EQ(taken, lengths[s]) << "symbol " << s;
        if (s < 256) {
          ASSERT_EQ(entry & (kLiteral | 0xff0000), kLiteral | s << 16);
        } else if (s == 256) {
          ASSERT_NE(entry & kEndOfBlock, 0U);
        } else if (s > 285) {
          ASSERT_NE(entry & kNoCode, 0U);
        } else {
          ASSERT_EQ(entry & (kLiteral | kOther), 0U);
        }
      }
    }
  }
}

// RFC 1951, section 3.2.5.
TEST(InflateTablesTest, KnowsLengthsAndDistances) {
  const auto tables = std::make_unique<InflateTables>();
  std::vector<uint8_t> literals(kLiteralSymbols, 0);
  // Eight symbols of three bits each, in the order of their numbers.
  for (const size_t s : {0U, 256U, 257U, 264U, 265U, 268U, 284U, 285U}) {
    literals[s] = 3;
  }
  ASSERT_TRUE(BuildLiteralTable(literals, tables.get()));
  const auto literal = [&](uint32_t code) {
    return tables->literals[(code & 1) << 2 | (code & 2) | code >> 2];
  };
  const auto smallest = [](uint32_t entry) { return entry >> 16; };
  const auto extra = [](uint32_t entry) {
    return (entry & 0xff) - (entry >> 8 & 15);
  };
  EXPECT_EQ(smallest(literal(2)), 3U);
  EXPECT_EQ(extra(literal(2)), 0U);
  EXPECT_EQ(smallest(literal(3)), 10U);
  EXPECT_EQ(smallest(literal(4)), 11U);
  EXPECT_EQ(extra(literal(4)), 1U);
  EXPECT_EQ(smallest(literal(5)), 17U);
  EXPECT_EQ(smallest(literal(6)), 227U);
  EXPECT_EQ(extra(literal(6)), 5U);
  EXPECT_EQ(smallest(literal(7)), 258U);
  EXPECT_EQ(extra(literal(7)), 0U);

  std::vector<uint8_t> distances(kDistanceSymbols, 0);
  for (const size_t s : {0U, 3U, 4U, 29U}) distances[s] = 2;
  ASSERT_TRUE(BuildDistanceTable(distances, tables.get()));
  EXPECT_EQ(smallest(tables->distances[0]), 1U);
  EXPECT_EQ(smallest(tables->distances[2]), 4U);
  EXPECT_EQ(smallest(tables->distances[1]), 5U);
  EXPECT_EQ(extra(tables->distances[1]), 1U);
  EXPECT_EQ(smallest(tables->distances[3]), 24577U);
  EXPECT_EQ(extra(tables->distances[3]), 13U);
}

TEST(InflateTablesTest, RefusesWhatIsNoCode) {
  const auto tables = std::make_unique<InflateTables>();
  EXPECT_FALSE(BuildLiteralTable(std::vector<uint8_t>(288, 0), tables.get()));
  EXPECT_FALSE(BuildLiteralTable(std::vector<uint8_t>(288, 15), tables.get()));
  EXPECT_FALSE(BuildLiteralTable(std::vector<uint8_t>(288, 1), tables.get()));
  // Of two bits, three codes.
  EXPECT_FALSE(BuildLiteralTable({2, 2, 2}, tables.get()));
  EXPECT_FALSE(BuildDistanceTable({2, 2, 2}, tables.get()));
  EXPECT_FALSE(BuildDistanceTable({1, 1, 1}, tables.get()));
  EXPECT_FALSE(BuildDistanceTable({2}, tables.get()));
  LengthTable table;
  std::array<uint8_t, kLengthSymbols> lengths{};
  EXPECT_FALSE(BuildLengthTable(lengths, &table));
  lengths[0] = lengths[18] = 1;
  EXPECT_TRUE(BuildLengthTable(lengths, &table));
  lengths[3] = 7;
  EXPECT_FALSE(BuildLengthTable(lengths, &table));
}

TEST(InflateTablesTest, TakesADistanceAloneOrNone) {
  const auto tables = std::make_unique<InflateTables>();
  ASSERT_TRUE(BuildDistanceTable({0, 0, 1}, tables.get()));
  for (uint32_t i = 0; i < 256; ++i) {
    if (i % 2 == 0) {
      EXPECT_EQ(tables->distances[i] >> 16, 3U);
    } else {
      EXPECT_NE(tables->distances[i] & kNoCode, 0U);
    }
  }
  ASSERT_TRUE(BuildDistanceTable({0, 0}, tables.get()));
  for (uint32_t i = 0; i < 256; ++i) {
    EXPECT_NE(tables->distances[i] & kNoCode, 0U);
  }
}

}  // namespace
}  // namespace internode::cube
