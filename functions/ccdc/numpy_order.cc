#include "functions/ccdc/numpy_order.h"

#include <bit>
#include <numeric>
#include <utility>

namespace internode::functions::ccdc {
namespace {

// All positions are inclusive bounds in `order`.
class Sorter {
 public:
  Sorter(absl::Span<const int64_t> keys, absl::Span<int32_t> order)
      : keys_(keys), order_(order) {}

  void Sort() {
    const auto n = static_cast<int64_t>(order_.size());
    if (n < 2) return;
    const int depth =
        2 * (static_cast<int>(std::bit_width(static_cast<uint64_t>(n))) - 1);
    Partition whole{0, n - 1, depth};
    Push(whole);
    while (size_ > 0) Finish(stack_[--size_]);
  }

 private:
  struct Partition {
    int64_t lo;
    int64_t hi;
    int depth;  // splits that may still be nested
  };

  int64_t Key(int64_t position) const {
    return keys_[static_cast<size_t>(order_[static_cast<size_t>(position)])];
  }
  int32_t& At(int64_t position) {
    return order_[static_cast<size_t>(position)];
  }
  void Swap(int64_t a, int64_t b) { std::swap(At(a), At(b)); }
  void Push(const Partition& p) { stack_[size_++] = p; }

  // Splits off the larger parts until the rest is small.
  void Finish(Partition p) {
    if (p.depth < 0) return HeapSort(p.lo, p.hi);
    while (p.hi - p.lo >= 16) {
      const int64_t middle = Split(p.lo, p.hi);
      --p.depth;
      if (middle - p.lo < p.hi - middle) {
        Push({middle + 1, p.hi, p.depth});
        p.hi = middle - 1;
      } else {
        Push({p.lo, middle - 1, p.depth});
        p.lo = middle + 1;
      }
    }
    InsertionSort(p.lo, p.hi);
  }

  // Returns the final position of the pivot.
  int64_t Split(int64_t lo, int64_t hi) {
    const int64_t mid = lo + (hi - lo) / 2;
    if (Key(mid) < Key(lo)) Swap(mid, lo);
    if (Key(hi) < Key(mid)) Swap(hi, mid);
    if (Key(mid) < Key(lo)) Swap(mid, lo);
    const int64_t pivot = Key(mid);
    int64_t i = lo;
    int64_t j = hi - 1;
    Swap(mid, j);
    while (true) {
      do ++i;
      while (Key(i) < pivot);
      do --j;
      while (pivot < Key(j));
      if (i >= j) break;
      Swap(i, j);
    }
    Swap(i, hi - 1);
    return i;
  }

  void InsertionSort(int64_t lo, int64_t hi) {
    for (int64_t i = lo + 1; i <= hi; ++i) {
      const int32_t moved = At(i);
      const int64_t key = Key(i);
      int64_t j = i;
      for (; j > lo && key < Key(j - 1); --j) At(j) = At(j - 1);
      At(j) = moved;
    }
  }

  void SiftDown(int64_t lo, int64_t root, int64_t n) {
    // 1-based heap positions.
    const int32_t moved = At(lo + root - 1);
    const int64_t key = keys_[static_cast<size_t>(moved)];
    int64_t i = root;
    for (int64_t j = 2 * i; j <= n; j = 2 * i) {
      if (j < n && Key(lo + j - 1) < Key(lo + j)) ++j;
      if (!(key < Key(lo + j - 1))) break;
      At(lo + i - 1) = At(lo + j - 1);
      i = j;
    }
    At(lo + i - 1) = moved;
  }

  void HeapSort(int64_t lo, int64_t hi) {
    int64_t n = hi - lo + 1;
    for (int64_t root = n / 2; root > 0; --root) SiftDown(lo, root, n);
    for (; n > 1; --n) {
      Swap(lo, lo + n - 1);
      SiftDown(lo, 1, n - 1);
    }
  }

  absl::Span<const int64_t> keys_;
  absl::Span<int32_t> order_;
  // The smaller part is always finished first: one entry per halving.
  Partition stack_[130];
  int size_ = 0;
};

}  // namespace

void NumpyOrder(absl::Span<const int64_t> keys, absl::Span<int32_t> order) {
  std::iota(order.begin(), order.end(), 0);
  Sorter(keys, order).Sort();
}

}  // namespace internode::functions::ccdc
