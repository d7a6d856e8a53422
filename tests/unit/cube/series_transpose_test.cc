#include "cube/series_transpose.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"

#include "cube/buffer.h"

namespace internode::cube {
namespace {

using Bytes = std::vector<std::byte>;

// Byte `b` of the number of pixel `p` at time `t`.
std::byte ByteOf(size_t t, size_t p, size_t b) {
  return static_cast<std::byte>(t * 31 + p * 7 + b * 101);
}

// The series with what is around them, which must stay.
struct Series {
  Series(size_t times, size_t pixels, size_t element_bytes)
      : stride(times * element_bytes + 5), bytes(pixels * stride) {
    for (size_t p = 0; p < pixels; ++p) at.push_back(&bytes[p * stride]);
  }

  void Check(size_t times, size_t element_bytes) const {
    for (size_t p = 0; p < at.size(); ++p) {
      for (size_t i = 0; i < times * element_bytes; ++i) {
        ASSERT_EQ(at[p][i], ByteOf(i / element_bytes, p, i % element_bytes))
            << times << " times, pixel " << p;
      }
      for (size_t i = times * element_bytes; i < stride; ++i) {
        ASSERT_EQ(at[p][i], std::byte{0});
      }
    }
  }

  size_t stride;
  Bytes bytes;
  std::vector<std::byte*> at;
};

// Calls `test` with each instruction set that the machine has.
template <typename F>
void WithEachInstructionSet(const F& test) {
  hwy::SetSupportedTargetsForTest(0);
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    SCOPED_TRACE(hwy::TargetName(rest & -rest));
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Before the pixels that are turned, in each row.
constexpr size_t kSkipped = 3;

void TurnNumbers(size_t element_bytes, size_t times, size_t pixels) {
  const size_t width = kSkipped + pixels;
  Bytes source(times * width * element_bytes + Buffer::kSlack);
  std::vector<const std::byte*> rows;
  for (size_t t = 0; t < times; ++t) {
    std::byte* const row = &source[t * width * element_bytes];
    rows.push_back(row);
    for (size_t i = 0; i < pixels * element_bytes; ++i) {
      row[kSkipped * element_bytes + i] =
          ByteOf(t, i / element_bytes, i % element_bytes);
    }
  }
  Series series(times, pixels, element_bytes);
  TransposeNumbers(rows, element_bytes, kSkipped, series.at);
  series.Check(times, element_bytes);
}

TEST(SeriesTransposeTest, TurnsNumbersOfEverySize) {
  WithEachInstructionSet([] {
    for (const size_t element_bytes : {1U, 2U, 4U, 8U}) {
      for (size_t times = 0; times < 40; ++times) {
        for (size_t pixels = 0; pixels < 40; ++pixels) {
          TurnNumbers(element_bytes, times, pixels);
        }
      }
    }
  });
}

void TurnPlanes(bool swapped, size_t times, size_t pixels) {
  const size_t width = kSkipped + pixels;
  const size_t elements = times * width;
  Bytes source(2 * elements + Buffer::kSlack);
  std::byte* const low = source.data() + (swapped ? elements : 0);
  std::byte* const high = source.data() + (swapped ? 0 : elements);
  std::vector<const std::byte*> rows;
  for (size_t t = 0; t < times; ++t) {
    rows.push_back(low + t * width);
    for (size_t p = 0; p < pixels; ++p) {
      low[t * width + kSkipped + p] = ByteOf(t, p, 0);
      high[t * width + kSkipped + p] = ByteOf(t, p, 1);
    }
  }
  Series series(times, pixels, 2);
  TransposePlanes(rows, high - low, kSkipped, series.at);
  series.Check(times, 2);
}

TEST(SeriesTransposeTest, TurnsPlanesOfBothByteOrders) {
  WithEachInstructionSet([] {
    for (const bool swapped : {false, true}) {
      for (size_t times = 0; times < 40; ++times) {
        for (size_t pixels = 0; pixels < 40; ++pixels) {
          TurnPlanes(swapped, times, pixels);
        }
      }
    }
  });
}

}  // namespace
}  // namespace internode::cube
