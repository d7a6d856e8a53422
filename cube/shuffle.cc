#include "cube/shuffle.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "cube/register_tile.h"

namespace internode::cube {
namespace {

// 16 elements of kBytes bytes (2, 4 or 8): from kBytes planes, which begin at
// planes[0], planes[1], …, to `natural`. Each round mixes plane i with plane
// i + kBytes / 2; after log2(kBytes) rounds the elements are whole.
template <size_t kBytes>
void Mix16(const std::array<const std::byte*, kBytes>& planes, size_t at,
           std::byte* natural) {
  std::array<Register<uint8_t>, kBytes> rows;
  for (size_t b = 0; b < kBytes; ++b)
    rows[b] = LoadRegister<uint8_t>(planes[b] + at);
  for (size_t round = 1; round < kBytes; round *= 2) {
    std::array<Register<uint8_t>, kBytes> mixed;
    for (size_t i = 0; i < kBytes / 2; ++i) {
      const Register<uint8_t> a = rows[i];
      const Register<uint8_t> b = rows[i + kBytes / 2];
      mixed[2 * i] = Interleave<uint8_t, false>(a, b);
      mixed[2 * i + 1] = Interleave<uint8_t, true>(a, b);
    }
    rows = mixed;
  }
  for (size_t i = 0; i < kBytes; ++i) {
    StoreRegister<uint8_t>(rows[i], natural + 16 * i);
  }
}

template <size_t kBytes>
void UnshuffleAs(const std::byte* shuffled, size_t count, bool swapped,
                 std::byte* natural) {
  std::array<const std::byte*, kBytes> planes;
  for (size_t b = 0; b < kBytes; ++b) {
    planes[b] = shuffled + (swapped ? kBytes - 1 - b : b) * count;
  }
  const size_t whole = count / 16 * 16;
  for (size_t i = 0; i < whole; i += 16) {
    Mix16<kBytes>(planes, i, natural + i * kBytes);
  }
  for (size_t i = whole; i < count; ++i) {
    for (size_t b = 0; b < kBytes; ++b) natural[i * kBytes + b] = planes[b][i];
  }
}

void UnshuffleAny(absl::Span<const std::byte> shuffled, size_t element_bytes,
                  bool swapped, std::byte* natural) {
  if (shuffled.empty()) return;
  const size_t count = shuffled.size() / element_bytes;
  switch (element_bytes) {
    case 1:
      std::memcpy(natural, shuffled.data(), count);
      break;
    case 2:
      UnshuffleAs<2>(shuffled.data(), count, swapped, natural);
      break;
    case 4:
      UnshuffleAs<4>(shuffled.data(), count, swapped, natural);
      break;
    case 8:
      UnshuffleAs<8>(shuffled.data(), count, swapped, natural);
      break;
    default:
      for (size_t b = 0; b < element_bytes; ++b) {
        const std::byte* from =
            shuffled.data() + (swapped ? element_bytes - 1 - b : b) * count;
        for (size_t i = 0; i < count; ++i) {
          natural[i * element_bytes + b] = from[i];
        }
      }
  }
  const size_t done = count * element_bytes;
  std::copy(shuffled.begin() + static_cast<std::ptrdiff_t>(done),
            shuffled.end(), natural + done);
}

template <typename T, T (*kSwap)(T)>
void SwapAs(absl::Span<std::byte> numbers) {
  for (size_t i = 0; i + sizeof(T) <= numbers.size(); i += sizeof(T)) {
    T number;
    std::memcpy(&number, &numbers[i], sizeof(T));
    number = kSwap(number);
    std::memcpy(&numbers[i], &number, sizeof(T));
  }
}

uint16_t Swap2(uint16_t number) { return __builtin_bswap16(number); }
uint32_t Swap4(uint32_t number) { return __builtin_bswap32(number); }
uint64_t Swap8(uint64_t number) { return __builtin_bswap64(number); }

}  // namespace

void Unshuffle(absl::Span<const std::byte> shuffled, size_t element_bytes,
               std::byte* natural) {
  UnshuffleAny(shuffled, element_bytes, /*swapped=*/false, natural);
}

void UnshuffleSwapped(absl::Span<const std::byte> shuffled,
                      size_t element_bytes, std::byte* natural) {
  UnshuffleAny(shuffled, element_bytes, /*swapped=*/true, natural);
}

void SwapBytes(absl::Span<std::byte> numbers, size_t element_bytes) {
  switch (element_bytes) {
    case 2:
      return SwapAs<uint16_t, Swap2>(numbers);
    case 4:
      return SwapAs<uint32_t, Swap4>(numbers);
    case 8:
      return SwapAs<uint64_t, Swap8>(numbers);
    default:
      return;
  }
}

}  // namespace internode::cube
