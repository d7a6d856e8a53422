#include "cube/pair_inflater.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cube/pair_inflater.cc"
#include "hwy/foreach_target.h"
// The order is highway's.
#include "hwy/highway.h"

// Compiled for each instruction set: where there is BMI2, shifts and masks by
// a number of bits take one instruction each.
HWY_BEFORE_NAMESPACE();
namespace internode::cube {
namespace HWY_NAMESPACE {

// A stream's position, in registers.
struct Lane {
  const uint8_t* in;
  uint8_t* out;
  uint64_t bits;
  // Its lowest six bits count; above them is what subtraction left.
  uint32_t count;
  const InflateTables* tables;
};

enum class Step { kGoOn, kBlockEnds, kFailed };

// At least 56 bits. Loads whole words, of which some bytes will come again.
HWY_INLINE void Refill(Lane* lane) {
  uint64_t word = 0;
  std::memcpy(&word, lane->in, sizeof(word));
  lane->bits |= word << (lane->count & 63);
  lane->in += 7 - (lane->count >> 3 & 7);
  lane->count |= 56;
}

HWY_INLINE void Drop(Lane* lane, uint32_t entry) {
  lane->bits >>= entry & 63;
  lane->count -= entry;
}

// A length or distance: the smallest one, and the bits that belong to the code.
HWY_INLINE uint32_t Take(Lane* lane, uint32_t entry, uint32_t smallest) {
  const uint64_t own = lane->bits & ((uint64_t{1} << (entry & 63)) - 1);
  Drop(lane, entry);
  return smallest + static_cast<uint32_t>(own >> (entry >> 8 & 15));
}

HWY_INLINE uint32_t NextLiteral(const Lane& lane) {
  return lane.tables
      ->literals[lane.bits & ((uint64_t{1} << kLiteralTableBits) - 1)];
}

// Up to four literals, or up to three and a match.
HWY_INLINE Step TakeStep(Lane* lane, const uint8_t* out_begin) {
  Refill(lane);
  uint32_t entry = NextLiteral(*lane);
  if ((entry & kLiteral) != 0) {
    // 11 bits at the most each, of the 56 that there are.
    for (int i = 0; i < 3; ++i) {
      Drop(lane, entry);
      *lane->out++ = static_cast<uint8_t>(entry >> 16);
      entry = NextLiteral(*lane);
      if ((entry & kLiteral) == 0) break;
    }
    if ((entry & kLiteral) != 0) {
      Drop(lane, entry);
      *lane->out++ = static_cast<uint8_t>(entry >> 16);
      return Step::kGoOn;
    }
    Refill(lane);
  }
  if ((entry & kOther) != 0) [[unlikely]] {
    if ((entry & (kEndOfBlock | kNoCode)) == 0) {
      Drop(lane, entry & 0xff);
      entry =
          lane->tables->literals[(entry >> 16) +
                                 (lane->bits &
                                  ((uint64_t{1} << (entry >> 8 & 15)) - 1))];
      if ((entry & kLiteral) != 0) {
        Drop(lane, entry);
        *lane->out++ = static_cast<uint8_t>(entry >> 16);
        return Step::kGoOn;
      }
    }
    if ((entry & kOther) != 0) {
      Drop(lane, entry & 0xff);
      return (entry & kEndOfBlock) != 0 ? Step::kBlockEnds : Step::kFailed;
    }
  }
  const uint32_t length = Take(lane, entry, entry >> 16 & 511);
  entry =
      lane->tables
          ->distances[lane->bits & ((uint64_t{1} << kDistanceTableBits) - 1)];
  if ((entry & kOther) != 0) [[unlikely]] {
    if ((entry & kNoCode) != 0) return Step::kFailed;
    Drop(lane, entry & 0xff);
    entry = lane->tables->distances[(entry >> 16) +
                                    (lane->bits &
                                     ((uint64_t{1} << (entry >> 8 & 15)) - 1))];
    if ((entry & kOther) != 0) return Step::kFailed;
  }
  const uint32_t distance = Take(lane, entry, entry >> 16);
  if (distance > lane->out - out_begin) [[unlikely]] {
    return Step::kFailed;
  }
  InflateStream::CopyMatch(lane->out, distance, length);
  lane->out += length;
  return Step::kGoOn;
}

HWY_INLINE Lane Enter(const InflateStream& stream) {
  const InflateStream::Position at = stream.position();
  return {at.in, at.out, at.bits, at.count, &stream.tables()};
}

HWY_INLINE void Leave(const Lane& lane, Step step, InflateStream* stream) {
  stream->Resume({lane.in, lane.out, lane.bits, lane.count},
                 step == Step::kBlockEnds, step == Step::kFailed);
}

void TakeTwo(size_t steps, InflateStream* first, InflateStream* second) {
  Lane a = Enter(*first);
  Lane b = Enter(*second);
  Step of_a = Step::kGoOn;
  Step of_b = Step::kGoOn;
  do {
    of_a = TakeStep(&a, first->out_begin());
    of_b = TakeStep(&b, second->out_begin());
  } while (of_a == Step::kGoOn && of_b == Step::kGoOn && --steps > 0);
  Leave(a, of_a, first);
  Leave(b, of_b, second);
}

void TakeOne(size_t steps, InflateStream* stream) {
  Lane lane = Enter(*stream);
  Step step = Step::kGoOn;
  do {
    step = TakeStep(&lane, stream->out_begin());
  } while (step == Step::kGoOn && --steps > 0);
  Leave(lane, step, stream);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace internode::cube
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace internode::cube {

HWY_EXPORT(TakeTwo);
HWY_EXPORT(TakeOne);

namespace {

void Go(InflateStream* first, InflateStream* second) {
  const size_t of_first = first->Steps();
  const size_t of_second = second->Steps();
  if (of_first == 0) {
    first->TakeSlowly();
  } else if (of_second == 0) {
    second->TakeSlowly();
  } else {
    HWY_DYNAMIC_DISPATCH(TakeTwo)
    (std::min(of_first, of_second), first, second);
  }
}

// To the end.
void Finish(InflateStream* stream) {
  while (!stream->done()) {
    if (stream->state() == InflateStream::State::kHeader) {
      stream->ReadHeader();
    } else if (const size_t steps = stream->Steps(); steps > 0) {
      HWY_DYNAMIC_DISPATCH(TakeOne)(steps, stream);
    } else {
      stream->TakeSlowly();
    }
  }
}

}  // namespace

std::array<bool, 2> PairInflater::Inflate(const Stream& first,
                                          const Stream& second) {
  InflateStream& a = streams_[0];
  InflateStream& b = streams_[1];
  a.Start(first.stored, first.target, first.bytes);
  b.Start(second.stored, second.target, second.bytes);
  while (!a.done() && !b.done()) {
    if (a.state() == InflateStream::State::kHeader) {
      a.ReadHeader();
    } else if (b.state() == InflateStream::State::kHeader) {
      b.ReadHeader();
    } else {
      Go(&a, &b);
    }
  }
  Finish(&a);
  Finish(&b);
  const auto whole = [](const InflateStream& stream) {
    return stream.state() == InflateStream::State::kEnd && stream.IsWhole();
  };
  return {whole(a), whole(b)};
}

}  // namespace internode::cube
#endif
