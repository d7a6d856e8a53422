#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "tests/sim/hostile_events.h"

namespace internode::sim {
namespace {

TEST(CorePropertyTest, NoSequenceOfEventsBreaksTheInvariants) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> bytes(4000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const absl::Status status = DriveCore(bytes);
    ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
  }
}

}  // namespace
}  // namespace internode::sim
