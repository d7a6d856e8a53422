#ifndef INTERNODE_CUBE_INFLATE_TABLES_H_
#define INTERNODE_CUBE_INFLATE_TABLES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace internode::cube {

// The prefix codes of deflate (RFC 1951, section 3.2) as tables, which are
// looked up by the bits that come next, first bit lowest. An entry says what
// these mean. The format is libdeflate's, in essence:
//
//   bits 0-7    bits that the code and what belongs to it take together;
//   bits 8-11   bits of the code alone;
//   bits 16-23  with kLiteral: the byte;
//   bits 16-24  without: of a length, bits 16-30 of a distance, the smallest
//               one; the bits that belong to the code are added;
//   kOther      none of these: kNoCode, or kEndOfBlock, or else the code is
//               longer than the table is wide: bits 0-7 are taken, and so many
//               as bits 8-11 say more are looked up from entry `bits 16-30` on.
inline constexpr uint32_t kLiteral = uint32_t{1} << 31;
inline constexpr uint32_t kOther = 1 << 15;
inline constexpr uint32_t kNoCode = 1 << 14;
inline constexpr uint32_t kEndOfBlock = 1 << 13;

// Bits by which the tables are looked up at first.
inline constexpr int kLiteralTableBits = 11;
inline constexpr int kDistanceTableBits = 8;

// Symbols, and the most entries that codes of up to 15 bits take
// (enough.c of zlib, for these sizes).
inline constexpr size_t kLiteralSymbols = 288;
inline constexpr size_t kDistanceSymbols = 32;
inline constexpr size_t kLiteralTableSize = 2342;
inline constexpr size_t kDistanceTableSize = 402;

struct InflateTables {
  std::array<uint32_t, kLiteralTableSize> literals;
  std::array<uint32_t, kDistanceTableSize> distances;
};

// The codes of literals and lengths, and of distances, of which symbol i has
// lengths[i] bits (0 to 15; 0: it does not occur). False: they are no codes. A
// code of distances may be incomplete if it has one symbol or none.
bool BuildLiteralTable(absl::Span<const uint8_t> lengths,
                       InflateTables* tables);
bool BuildDistanceTable(absl::Span<const uint8_t> lengths,
                        InflateTables* tables);

// The code of the lengths above: 19 symbols of up to 7 bits, which stand in
// bits 16-20 of the entries.
inline constexpr size_t kLengthSymbols = 19;
inline constexpr int kLengthTableBits = 7;
using LengthTable = std::array<uint32_t, size_t{1} << kLengthTableBits>;
bool BuildLengthTable(const std::array<uint8_t, kLengthSymbols>& lengths,
                      LengthTable* table);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_INFLATE_TABLES_H_
