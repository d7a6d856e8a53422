#include "cube/streaming_copy.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

namespace internode::cube {
namespace {

TEST(StreamingCopyTest, CopiesWhatIsAskedForAndNothingElse) {
  std::vector<std::byte> source(512);
  for (size_t i = 0; i < source.size(); ++i) {
    source[i] = static_cast<std::byte>(i * 37 + 1);
  }
  for (size_t from = 0; from < 20; ++from) {
    for (size_t to = 0; to < 70; ++to) {
      for (size_t bytes = 0; bytes < 300; bytes += bytes < 70 ? 1 : 13) {
        std::vector<std::byte> target(512);
        StreamingCopy(source.data() + from, bytes, target.data() + to);
        FinishStreaming();
        std::vector<std::byte> expected(512);
        std::copy_n(source.data() + from, bytes, expected.data() + to);
        ASSERT_EQ(target, expected) << from << " " << to << " " << bytes;
      }
    }
  }
}

}  // namespace
}  // namespace internode::cube
