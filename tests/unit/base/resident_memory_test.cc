#include "base/resident_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace internode {
namespace {

TEST(ResidentMemoryTest, KnowsWhatAProcessHas) {
  EXPECT_GT(ResidentBytes(getpid()), 100'000);
}

TEST(ResidentMemoryTest, AProcessThatIsGoneHasNone) {
  EXPECT_EQ(ResidentBytes(-1), 0);
}

}  // namespace
}  // namespace internode
