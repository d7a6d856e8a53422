#include "cube/series_transpose.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

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

TEST(SeriesTransposeTest, TurnsNumbersOfEverySize) {
  for (const size_t element_bytes : {1, 2, 4, 8}) {
    for (size_t times = 0; times < 40; ++times) {
      for (size_t pixels = 0; pixels < 40; ++pixels) {
        Bytes source(times * pixels * element_bytes + Buffer::kSlack);
        std::vector<const std::byte*> rows;
        for (size_t t = 0; t < times; ++t) {
          std::byte* const row = &source[t * pixels * element_bytes];
          rows.push_back(row);
          for (size_t i = 0; i < pixels * element_bytes; ++i) {
            row[i] = ByteOf(t, i / element_bytes, i % element_bytes);
          }
        }
        Series series(times, pixels, element_bytes);
        TransposeNumbers(rows, element_bytes, series.at);
        series.Check(times, element_bytes);
      }
    }
  }
}

TEST(SeriesTransposeTest, TurnsPlanesOfBothByteOrders) {
  for (const bool swapped : {false, true}) {
    for (size_t times = 0; times < 40; ++times) {
      for (size_t pixels = 0; pixels < 40; ++pixels) {
        const size_t elements = times * pixels;
        Bytes source(2 * elements + Buffer::kSlack);
        std::byte* const low = source.data() + (swapped ? elements : 0);
        std::byte* const high = source.data() + (swapped ? 0 : elements);
        std::vector<const std::byte*> rows;
        for (size_t t = 0; t < times; ++t) {
          rows.push_back(low + t * pixels);
          for (size_t p = 0; p < pixels; ++p) {
            low[t * pixels + p] = ByteOf(t, p, 0);
            high[t * pixels + p] = ByteOf(t, p, 1);
          }
        }
        Series series(times, pixels, 2);
        TransposePlanes(rows, high - low, series.at);
        series.Check(times, 2);
      }
    }
  }
}

}  // namespace
}  // namespace internode::cube
