#ifndef INTERNODE_CUBE_INFLATE_STREAM_H_
#define INTERNODE_CUBE_INFLATE_STREAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/types/span.h"

#include "cube/inflate_tables.h"

namespace internode::cube {

// A zlib stream (RFC 1950) that is being decompressed: where it stands, and
// all of it that is not the one loop that takes the time (pair_inflater.cc).
// Reads nothing outside of the stored bytes, and writes nothing outside of the
// target, whatever they hold.
class InflateStream {
 public:
  enum class State {
    // A block's header comes next.
    kHeader,
    // Symbols come next, by tables().
    kSymbols,
    // The last block has ended.
    kEnd,
    // The data are damaged, or of a kind that is left to libdeflate.
    kFailed,
  };

  // What the loop works on. Bits that come next are the lowest of `bits`, of
  // which `count` are there.
  struct Position {
    const uint8_t* in = nullptr;
    uint8_t* out = nullptr;
    uint64_t bits = 0;
    uint32_t count = 0;
  };

  // A step of the loop takes at most so many bytes, and gives at most so many;
  // behind these, a copy may write less than kOverhang that do not count. It
  // reads 8 bytes ahead.
  static constexpr int64_t kStepInBytes = 16;
  static constexpr int64_t kStepOutBytes = 264;
  static constexpr int64_t kOverhang = 48;

  // Begins with `stored`, to give exactly `bytes` bytes at `target`.
  void Start(absl::Span<const std::byte> stored, std::byte* target,
             size_t bytes);

  State state() const { return state_; }
  bool done() const { return state_ >= State::kEnd; }
  const InflateTables& tables() const { return tables_; }

  // kHeader: reads the header of a block; one that is stored as it is, whole.
  void ReadHeader();

  // kSymbols: how many steps the loop may take without a look at the ends.
  size_t Steps() const;
  // Nothing before it is there to be copied.
  const uint8_t* out_begin() const { return out_begin_; }

  Position position() const { return at_; }
  // Where the loop got to. `ended`: to the end of the block.
  void Resume(const Position& at, bool ended, bool failed);

  // kSymbols: goes on with every bound checked, to the end of the block.
  void TakeSlowly();

  // kEnd: whether all came out, and has its checksum.
  bool IsWhole() const;

  // Copies a match of `length` bytes from `distance` bytes before `to`; writes
  // less than kOverhang more.
  static void CopyMatch(uint8_t* to, uint32_t distance, uint32_t length);

 private:
  // As many bits as there are, up to `count`; false: fewer.
  bool Need(uint32_t count);
  uint32_t Take(uint32_t count);
  // Takes bits that may not be there.
  bool Drop(uint32_t count);
  // The entry of `table` that comes next, its bits still there.
  bool Next(const uint32_t* table, int width, uint32_t* entry);

  bool ReadStored();
  bool ReadCodes();
  bool BuildFixedCodes();
  bool TakeSymbol(bool* ended);
  bool CopySlowly(uint32_t distance, uint32_t length);
  void EndBlock() { state_ = last_ ? State::kEnd : State::kHeader; }

  State state_ = State::kFailed;
  // The block is the last one.
  bool last_ = false;
  Position at_;
  const uint8_t* in_end_ = nullptr;
  uint8_t* out_begin_ = nullptr;
  uint8_t* out_end_ = nullptr;
  InflateTables tables_;
};

namespace internal {

// Also where the bytes overlap: what comes next is then what was there before.
template <size_t kBytes>
inline void CopyBytes(uint8_t* to, const uint8_t* from) {
  std::array<uint8_t, kBytes> bytes;
  std::memcpy(bytes.data(), from, kBytes);
  std::memcpy(to, bytes.data(), kBytes);
}

}  // namespace internal

inline void InflateStream::CopyMatch(uint8_t* to, uint32_t distance,
                                     uint32_t length) {
  const uint8_t* from = to - distance;
  const uint8_t* const end = to + length;
  if (distance >= 16) [[likely]] {
    // Most matches are short: without a loop, nothing is to be foretold.
    do {
      internal::CopyBytes<16>(to, from);
      internal::CopyBytes<16>(to + 16, from + 16);
      to += 32;
      from += 32;
    } while (to < end);
  } else if (distance == 1) {
    // Fill.
    for (; to < end; to += 32) std::memset(to, *from, 32);
  } else if (distance >= 8) {
    for (; to < end; to += 8, from += 8) internal::CopyBytes<8>(to, from);
  } else {
    // The bytes before `to` repeat.
    for (; to < end; to += distance, from += distance) {
      internal::CopyBytes<8>(to, from);
    }
  }
}

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_INFLATE_STREAM_H_
