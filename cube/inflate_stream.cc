#include "cube/inflate_stream.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>

namespace internode::cube {
namespace {

constexpr size_t kZlibHeaderBytes = 2;
constexpr size_t kAdlerBytes = 4;

// The last steps: what follows them must be in bounds too.
constexpr int64_t kInMargin = InflateStream::kStepInBytes + 8;
constexpr int64_t kOutMargin =
    InflateStream::kStepOutBytes + InflateStream::kOverhang;

uint64_t LowBits(uint64_t bits, uint32_t count) {
  return bits & ((uint64_t{1} << count) - 1);
}

// What an entry's code and the bits that belong to it mean: a length or a
// distance.
uint32_t Value(uint32_t entry, uint32_t smallest, uint64_t bits) {
  return smallest + static_cast<uint32_t>(LowBits(bits, entry & 0xff) >>
                                          (entry >> 8 & 15));
}

}  // namespace

void InflateStream::Start(absl::Span<const std::byte> stored, std::byte* target,
                          size_t bytes) {
  state_ = State::kFailed;
  if (stored.size() < kZlibHeaderBytes + kAdlerBytes) return;
  const auto* const in = reinterpret_cast<const uint8_t*>(stored.data());
  const uint32_t header = uint32_t{in[0]} << 8 | in[1];
  const bool deflated = (in[0] & 15) == 8 && in[0] >> 4 <= 7;
  const bool has_dictionary = (in[1] & 32) != 0;
  if (!deflated || has_dictionary || header % 31 != 0) return;
  out_begin_ = reinterpret_cast<uint8_t*>(target);
  out_end_ = out_begin_ + bytes;
  at_ = {.in = in + kZlibHeaderBytes, .out = out_begin_};
  in_end_ = in + stored.size() - kAdlerBytes;
  state_ = State::kHeader;
}

size_t InflateStream::Steps() const {
  const int64_t in = in_end_ - at_.in - kInMargin;
  const int64_t out = out_end_ - at_.out - kOutMargin;
  if (in < 0 || out < 0) return 0;
  return static_cast<size_t>(std::min(in / kStepInBytes, out / kStepOutBytes)) +
         1;
}

void InflateStream::Resume(const Position& at, bool ended, bool failed) {
  at_ = at;
  // The loop leaves what it does not know in the higher ones.
  at_.count &= 63;
  at_.bits = LowBits(at_.bits, at_.count);
  if (ended) EndBlock();
  if (failed) state_ = State::kFailed;
}

bool InflateStream::Need(uint32_t count) {
  while (at_.count < count && at_.in < in_end_) {
    at_.bits |= uint64_t{*at_.in++} << at_.count;
    at_.count += 8;
  }
  return at_.count >= count;
}

uint32_t InflateStream::Take(uint32_t count) {
  const auto taken = static_cast<uint32_t>(LowBits(at_.bits, count));
  at_.bits >>= count;
  at_.count -= count;
  return taken;
}

bool InflateStream::Drop(uint32_t count) {
  if (count > at_.count) return false;
  Take(count);
  return true;
}

void InflateStream::ReadHeader() {
  state_ = State::kFailed;
  if (!Need(3)) return;
  last_ = Take(1) != 0;
  switch (Take(2)) {
    case 0:
      if (ReadStored()) EndBlock();
      break;
    case 1:
      if (BuildFixedCodes()) state_ = State::kSymbols;
      break;
    case 2:
      if (ReadCodes()) state_ = State::kSymbols;
      break;
    default:
      break;
  }
}

bool InflateStream::ReadStored() {
  Take(at_.count % 8);
  if (!Need(32)) return false;
  const uint32_t length = Take(16);
  if ((length ^ Take(16)) != 0xffff) return false;
  // Whole bytes that were taken ahead.
  at_.in -= at_.count / 8;
  at_.bits = at_.count = 0;
  if (length > in_end_ - at_.in || length > out_end_ - at_.out) return false;
  std::copy_n(at_.in, length, at_.out);
  at_.in += length;
  at_.out += length;
  return true;
}

bool InflateStream::BuildFixedCodes() {
  std::array<uint8_t, kLiteralSymbols> literals;
  std::fill_n(literals.begin(), 144, uint8_t{8});
  std::fill_n(literals.begin() + 144, 112, uint8_t{9});
  std::fill_n(literals.begin() + 256, 24, uint8_t{7});
  std::fill_n(literals.begin() + 280, 8, uint8_t{8});
  std::array<uint8_t, kDistanceSymbols> distances;
  distances.fill(5);
  return BuildLiteralTable(literals, &tables_) &&
         BuildDistanceTable(distances, &tables_);
}

bool InflateStream::ReadCodes() {
  if (!Need(14)) return false;
  const size_t literals = 257 + Take(5);
  const size_t distances = 1 + Take(5);
  const size_t given = 4 + Take(4);
  constexpr std::array<uint8_t, kLengthSymbols> kOrder = {
      16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  std::array<uint8_t, kLengthSymbols> code{};
  for (size_t i = 0; i < given; ++i) {
    if (!Need(3)) return false;
    code[kOrder[i]] = static_cast<uint8_t>(Take(3));
  }
  LengthTable table;
  if (!BuildLengthTable(code, &table)) return false;
  std::array<uint8_t, kLiteralSymbols + kDistanceSymbols> lengths;
  for (size_t i = 0; i < literals + distances;) {
    // A symbol of up to 7 bits, and up to 7 that belong to it.
    Need(14);
    const uint32_t entry =
        table[LowBits(at_.bits, static_cast<uint32_t>(kLengthTableBits))];
    if (!Drop(entry & 0xff)) return false;
    const uint32_t symbol = entry >> 16;
    if (symbol < 16) {
      lengths[i++] = static_cast<uint8_t>(symbol);
      continue;
    }
    const uint32_t bits = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (at_.count < bits || (symbol == 16 && i == 0)) return false;
    const uint8_t length = symbol == 16 ? lengths[i - 1] : uint8_t{0};
    const size_t times = (symbol == 18 ? 11 : 3) + Take(bits);
    if (times > literals + distances - i) return false;
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times,
                length);
    i += times;
  }
  const auto all = absl::MakeConstSpan(lengths);
  return BuildLiteralTable(all.first(literals), &tables_) &&
         BuildDistanceTable(all.subspan(literals, distances), &tables_);
}

bool InflateStream::Next(const uint32_t* table, int width, uint32_t* entry) {
  // More than any code and what belongs to it has.
  Need(32);
  *entry = table[LowBits(at_.bits, static_cast<uint32_t>(width))];
  if ((*entry & kOther) == 0 || (*entry & (kEndOfBlock | kNoCode)) != 0) {
    return true;
  }
  if (!Drop(static_cast<uint32_t>(width))) return false;
  *entry = table[(*entry >> 16) + LowBits(at_.bits, *entry >> 8 & 15)];
  return true;
}

void InflateStream::TakeSlowly() {
  bool ended = false;
  while (!ended) {
    if (!TakeSymbol(&ended)) {
      state_ = State::kFailed;
      return;
    }
  }
  EndBlock();
}

bool InflateStream::TakeSymbol(bool* ended) {
  uint32_t entry = 0;
  if (!Next(tables_.literals.data(), kLiteralTableBits, &entry)) return false;
  uint64_t bits = at_.bits;
  if (!Drop(entry & 0xff)) return false;
  if ((entry & kLiteral) != 0) {
    if (at_.out == out_end_) return false;
    *at_.out++ = static_cast<uint8_t>(entry >> 16);
    return true;
  }
  if ((entry & kOther) != 0) {
    *ended = true;
    return (entry & kEndOfBlock) != 0;
  }
  const uint32_t length = Value(entry, entry >> 16 & 511, bits);
  if (!Next(tables_.distances.data(), kDistanceTableBits, &entry) ||
      (entry & kOther) != 0) {
    return false;
  }
  bits = at_.bits;
  return Drop(entry & 0xff) &&
         CopySlowly(Value(entry, entry >> 16, bits), length);
}

bool InflateStream::CopySlowly(uint32_t distance, uint32_t length) {
  const int64_t room = out_end_ - at_.out;
  if (distance > at_.out - out_begin_ || length > room) return false;
  if (length + kOverhang <= room) {
    CopyMatch(at_.out, distance, length);
    at_.out += length;
    return true;
  }
  for (; length > 0; --length, ++at_.out) *at_.out = *(at_.out - distance);
  return true;
}

bool InflateStream::IsWhole() const {
  // All that is stored was taken, up to the bits that fill the last byte.
  if (at_.out != out_end_ || at_.in - at_.count / 8 != in_end_) return false;
  uint32_t checksum = 0;
  for (size_t b = 0; b < kAdlerBytes; ++b) {
    checksum = checksum << 8 | in_end_[b];
  }
  return libdeflate_adler32(1, out_begin_,
                            static_cast<size_t>(out_end_ - out_begin_)) ==
         checksum;
}

}  // namespace internode::cube
