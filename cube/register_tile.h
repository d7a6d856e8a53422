#ifndef INTERNODE_CUBE_REGISTER_TILE_H_
#define INTERNODE_CUBE_REGISTER_TILE_H_

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace internode::cube {

// A register of as many numbers of the unsigned type T as fit into 16 bytes,
// and square tiles of numbers in as many registers. They are the compilers'
// vector extensions, so that every processor has them.
template <typename T>
struct RegisterOf {
  typedef T Type __attribute__((vector_size(16)));
};
template <typename T>
using Register = typename RegisterOf<T>::Type;
template <typename T>
inline constexpr size_t kRegisterLanes = 16 / sizeof(T);
template <typename T>
using RegisterTile = std::array<Register<T>, kRegisterLanes<T>>;

template <typename T>
Register<T> LoadRegister(const std::byte* from) {
  Register<T> numbers;
  std::memcpy(&numbers, from, sizeof(numbers));
  return numbers;
}

template <typename T>
void StoreRegister(Register<T> numbers, std::byte* to) {
  std::memcpy(to, &numbers, sizeof(numbers));
}

// The numbers of the first (kHigh = false) or the second halves of a and b,
// in turn.
template <typename T, bool kHigh, int... kLane>
Register<T> Interleave(Register<T> a, Register<T> b,
                       std::integer_sequence<int, kLane...> /*lanes*/) {
  constexpr int kLanes = static_cast<int>(kRegisterLanes<T>);
  constexpr int kStart = kHigh ? kLanes / 2 : 0;
  return __builtin_shufflevector(
      a, b, (kStart + kLane / 2 + (kLane % 2) * kLanes)...);
}
template <typename T, bool kHigh>
Register<T> Interleave(Register<T> a, Register<T> b) {
  constexpr std::make_integer_sequence<int, static_cast<int>(kRegisterLanes<T>)>
      kSequence;
  return Interleave<T, kHigh>(a, b, kSequence);
}

template <typename T>
void Transpose(RegisterTile<T>* tile) {
  constexpr size_t kLanes = kRegisterLanes<T>;
  // Each round brings row i + kLanes / 2 between the numbers of row i; after
  // log2(kLanes) rounds, rows are columns.
  for (size_t round = 1; round < kLanes; round *= 2) {
    RegisterTile<T> mixed;
    for (size_t i = 0; i < kLanes / 2; ++i) {
      const Register<T> a = (*tile)[i];
      const Register<T> b = (*tile)[i + kLanes / 2];
      mixed[2 * i] = Interleave<T, false>(a, b);
      mixed[2 * i + 1] = Interleave<T, true>(a, b);
    }
    *tile = mixed;
  }
}

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_REGISTER_TILE_H_
