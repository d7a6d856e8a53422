#include "cube/row_gather.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/cache_line.h"
#include "base/round_up.h"

namespace internode::cube {
namespace {

constexpr auto kLine = static_cast<size_t>(kCacheLineBytes);

// A cache of 32 KiB, the smallest that is common: the address of a line says
// which set it belongs to, and so many lines are in a set. Only speed depends
// on it.
constexpr size_t kSets = 64;
constexpr size_t kWays = 8;

size_t Planes(const PixelRows& source) {
  return source.high_plane == 0 ? 1 : 2;
}

// memcpy of a line is a few moves, of any size a call.
void CopyBytes(const std::byte* from, size_t bytes, std::byte* to) {
  if (bytes == kLine) {
    std::memcpy(to, from, kLine);
  } else {
    std::memcpy(to, from, bytes);
  }
}

}  // namespace

bool RowGather::Helps(const PixelRows& source) {
  const size_t planes = Planes(source);
  std::array<size_t, kSets> lines{};
  // What was counted last of each set: rows of fill are one row again and
  // again.
  std::array<uintptr_t, kSets> last{};
  for (const std::byte* row : source.rows) {
    const uintptr_t line = reinterpret_cast<uintptr_t>(row) / kLine;
    const size_t set = line % kSets;
    if (last[set] == line) continue;
    last[set] = line;
    lines[set] += planes;
  }
  const size_t even = source.rows.size() * planes / kSets;
  return *std::max_element(lines.begin(), lines.end()) >
         std::max(kWays, 2 * even);
}

PixelRows RowGather::Gather(const PixelRows& source, size_t at, size_t bytes) {
  const size_t planes = Planes(source);
  const auto plane = static_cast<size_t>(
      RoundUp(static_cast<int64_t>(bytes), kCacheLineBytes));
  std::byte* to = bytes_.Reserve(source.rows.size() * planes * plane);
  rows_.clear();
  for (const std::byte* row : source.rows) {
    rows_.push_back(to);
    CopyBytes(row + at, bytes, to);
    to += plane;
    if (planes == 1) continue;
    CopyBytes(row + at + source.high_plane, bytes, to);
    to += plane;
  }
  return {rows_, planes == 1 ? 0 : static_cast<std::ptrdiff_t>(plane)};
}

}  // namespace internode::cube
