#include "cube/shuffle.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace internode::cube {
namespace {

// The compilers' vector extensions, so that every processor has them.
typedef uint8_t Bytes16 __attribute__((vector_size(16)));

Bytes16 Load(const std::byte* from) {
  Bytes16 bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return bytes;
}

void Store(Bytes16 bytes, std::byte* to) {
  std::memcpy(to, &bytes, sizeof(bytes));
}

// The bytes of the first, or the second, halves of a and b, in turn.
Bytes16 MixLow(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                 6, 22, 7, 23);
}
Bytes16 MixHigh(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                 29, 14, 30, 15, 31);
}

// 16 elements of kBytes bytes (2, 4 or 8): from kBytes planes, which begin at
// planes[0], planes[1], …, to `natural`. Each round mixes plane i with plane
// i + kBytes / 2; after log2(kBytes) rounds the elements are whole.
template <size_t kBytes>
void Mix16(const std::array<const std::byte*, kBytes>& planes, size_t at,
           std::byte* natural) {
  std::array<Bytes16, kBytes> rows;
  for (size_t b = 0; b < kBytes; ++b) rows[b] = Load(planes[b] + at);
  for (size_t round = 1; round < kBytes; round *= 2) {
    std::array<Bytes16, kBytes> mixed;
    for (size_t i = 0; i < kBytes / 2; ++i) {
      mixed[2 * i] = MixLow(rows[i], rows[i + kBytes / 2]);
      mixed[2 * i + 1] = MixHigh(rows[i], rows[i + kBytes / 2]);
    }
    rows = mixed;
  }
  for (size_t i = 0; i < kBytes; ++i) Store(rows[i], natural + 16 * i);
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
