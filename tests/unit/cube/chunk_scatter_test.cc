#include "cube/chunk_scatter.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/cache_line.h"
#include "base/round_up.h"
#include "cube/buffer.h"

namespace internode::cube {
namespace {

// A variable of storage chunks (dates, side, side) that follow each other in
// time, and which pixels of them are taken.
struct Layout {
  size_t element_bytes = 2;
  ChunkForm form = ChunkForm::kNumbers;
  bool swapped = false;
  int64_t dates = 8;
  int64_t side = 4;
  int64_t first_row = 0;
  int64_t rows = 4;
  int64_t first_column = 0;
  int64_t columns = 4;
  bool streaming = false;
  // Bytes that each series has in the block behind its numbers.
  int64_t behind = 0;
};

// Byte `b` of the number of a date and pixel.
std::byte ByteOf(int64_t date, int64_t pixel, int64_t b) {
  return static_cast<std::byte>(date * 31 + pixel * 7 + pixel / 64 * 13 +
                                b * 101);
}

// Chunk `c` as it is decoded.
void Fill(const Layout& layout, int64_t c, std::byte* chunk) {
  const auto bytes = static_cast<int64_t>(layout.element_bytes);
  const int64_t pixels = layout.side * layout.side;
  const int64_t elements = layout.dates * pixels;
  for (int64_t i = 0; i < elements; ++i) {
    for (int64_t b = 0; b < bytes; ++b) {
      const int64_t plane = layout.swapped ? bytes - 1 - b : b;
      chunk[layout.form == ChunkForm::kPlanes ? plane * elements + i
                                              : i * bytes + b] =
          ByteOf(c * layout.dates + i / pixels, i % pixels, b);
    }
  }
}

constexpr int64_t kChunks = 3;
constexpr std::byte kUntouched{0x5a};

// Scatters all dates of three chunks but the first and the last, and checks
// each byte of the block.
void Check(const Layout& layout) {
  SCOPED_TRACE(testing::Message()
               << "numbers of " << layout.element_bytes << " bytes, planes "
               << (layout.form == ChunkForm::kPlanes) << ", swapped "
               << layout.swapped << ", chunks of " << layout.dates << ", "
               << layout.side << ", rows " << layout.first_row << " + "
               << layout.rows << ", columns " << layout.first_column << " + "
               << layout.columns << ", streaming " << layout.streaming
               << ", behind " << layout.behind);
  const auto bytes = static_cast<int64_t>(layout.element_bytes);
  const int64_t elements = layout.dates * layout.side * layout.side;
  std::vector<Buffer> chunks(kChunks);
  std::vector<ScatterSource> sources;
  for (int64_t c = 0; c < kChunks; ++c) {
    std::byte* const chunk = chunks[static_cast<size_t>(c)].Reserve(
        static_cast<size_t>(elements * bytes));
    Fill(layout, c, chunk);
    sources.push_back({chunk, 0, layout.dates});
  }
  // The first date of all is left out, and the last.
  sources.front().first = 1;
  --sources.front().count;
  --sources.back().count;
  const int64_t dates = kChunks * layout.dates - 2;

  const int64_t stride = dates * bytes + layout.behind;
  const int64_t pixels = layout.rows * layout.columns;
  Buffer block;
  std::byte* const target = block.Reserve(static_cast<size_t>(pixels * stride));
  std::fill_n(target, pixels * stride, kUntouched);

  ScatterShape shape;
  shape.element_bytes = layout.element_bytes;
  shape.form = layout.form;
  shape.swapped = layout.swapped;
  shape.chunk_elements = elements;
  shape.first = layout.first_row * layout.side + layout.first_column;
  shape.dims = {{dates, layout.side * layout.side, bytes},
                {layout.rows, layout.side, layout.columns * stride},
                {layout.columns, 1, stride}};
  shape.series = 0;
  shape.streaming = layout.streaming;
  ScatterScratch scratch;
  ScatterChunks(shape, sources, &scratch, target);

  for (int64_t p = 0; p < pixels; ++p) {
    const int64_t pixel =
        (layout.first_row + p / layout.columns) * layout.side +
        layout.first_column + p % layout.columns;
    for (int64_t i = 0; i < stride; ++i) {
      const std::byte expected = i < dates * bytes
                                     ? ByteOf(1 + i / bytes, pixel, i % bytes)
                                     : kUntouched;
      ASSERT_EQ(target[p * stride + i], expected)
          << "pixel " << p << ", byte " << i;
    }
  }
}

// Whole storage chunks, and a part of them.
void CheckParts(Layout layout) {
  layout.rows = layout.side;
  layout.columns = layout.side;
  Check(layout);
  layout.first_row = 1;
  layout.rows = layout.side - 2;
  layout.first_column = layout.side / 3;
  layout.columns = layout.side / 2;
  Check(layout);
}

void CheckForms(Layout layout) {
  for (const size_t element_bytes : {1U, 2U, 4U, 8U}) {
    layout.element_bytes = element_bytes;
    CheckParts(layout);
  }
  layout.element_bytes = 2;
  layout.form = ChunkForm::kPlanes;
  for (const bool swapped : {false, true}) {
    layout.swapped = swapped;
    CheckParts(layout);
  }
}

// So many bytes behind numbers of 2 bytes that series begin at lines.
int64_t UpToLines(int64_t dates) {
  const int64_t bytes = (kChunks * dates - 2) * 2;
  return RoundUp(bytes, kCacheLineBytes) - bytes;
}

TEST(ChunkScatterTest, PutsEachNumberInItsPlace) {
  for (const bool streaming : {false, true}) {
    for (const int64_t side : {4, 10, 50}) {
      for (const int64_t dates : {3, 40}) {
        for (const int64_t behind : {int64_t{0}, UpToLines(dates)}) {
          Layout layout;
          layout.dates = dates;
          layout.side = side;
          layout.streaming = streaming;
          layout.behind = behind;
          CheckForms(layout);
        }
      }
    }
  }
}

// Rows that compete for the same places in the processor's cache, and so are
// gathered.
TEST(ChunkScatterTest, PutsNumbersOfCrowdedRowsInTheirPlaces) {
  for (const bool streaming : {false, true}) {
    for (const int64_t side : {32, 63, 64, 128}) {
      for (const int64_t behind : {int64_t{0}, UpToLines(40)}) {
        Layout layout;
        layout.dates = 40;
        layout.side = side;
        layout.streaming = streaming;
        layout.behind = behind;
        CheckForms(layout);
      }
    }
  }
}

}  // namespace
}  // namespace internode::cube
