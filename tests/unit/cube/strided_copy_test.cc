#include "cube/strided_copy.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace internode::cube {
namespace {

// One element after the other, by the definition.
void CopyPlainly(absl::Span<const CopyDimension> dims, int64_t bytes,
                 const std::byte* source, std::byte* target) {
  if (dims.empty()) {
    std::copy(source, source + bytes, target);
    return;
  }
  for (int64_t i = 0; i < dims[0].count; ++i) {
    CopyPlainly(dims.subspan(1), bytes, source + i * dims[0].source_stride,
                target + i * dims[0].target_stride);
  }
}

// Any order of dimensions on either side, gaps, repeats, every size.
TEST(StridedCopyTest, EqualsThePlainCopy) {
  std::mt19937 random(11);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint32_t>(n));
  };
  for (int round = 0; round < 3000; ++round) {
    const int64_t bytes = int64_t{1} << below(4);
    std::vector<CopyDimension> dims(static_cast<size_t>(below(5)));
    for (CopyDimension& dim : dims)
      dim.count = below(10) == 0 ? below(3) : 1 + below(21);
    std::vector<size_t> order(dims.size());
    std::iota(order.begin(), order.end(), size_t{0});
    int64_t source_size = bytes;
    std::shuffle(order.begin(), order.end(), random);
    for (size_t d : order) {
      dims[d].source_stride = below(8) == 0 ? 0 : source_size;
      if (dims[d].source_stride != 0) {
        source_size = source_size * std::max<int64_t>(dims[d].count, 1) +
                      bytes * below(2) * below(4);
      }
    }
    int64_t target_size = bytes;
    std::shuffle(order.begin(), order.end(), random);
    for (size_t d : order) {
      dims[d].target_stride = target_size;
      target_size = target_size * std::max<int64_t>(dims[d].count, 1) +
                    bytes * below(2) * below(4);
    }
    std::vector<std::byte> source(static_cast<size_t>(source_size));
    for (std::byte& byte : source) byte = static_cast<std::byte>(random());
    std::vector<std::byte> want(static_cast<size_t>(target_size));
    std::vector<std::byte> got(want);
    CopyPlainly(dims, bytes, source.data(), want.data());
    StridedCopy(dims, bytes, source.data(), got.data());
    ASSERT_EQ(got, want) << "round " << round;
  }
}

}  // namespace
}  // namespace internode::cube
