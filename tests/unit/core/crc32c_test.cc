#include "core/crc32c.h"

#include <cstdint>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace internode::core {
namespace {

// Bit by bit, from the definition.
uint32_t SlowCrc32c(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
  }
  return ~crc;
}

TEST(Crc32cTest, GivesThePublishedValues) {
  // RFC 3720, appendix B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending.push_back(static_cast<char>(i));
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32cTest, AgreesWithTheDefinitionForAllLengthsAndAlignments) {
  std::mt19937 random(1);
  std::string bytes;
  for (int i = 0; i < 1100; ++i) bytes.push_back(static_cast<char>(random()));
  for (size_t size = 0; size < 1030; size += size < 70 ? 1 : 37) {
    for (size_t offset = 0; offset < 18; ++offset) {
      const std::string part = bytes.substr(offset, size);
      const absl::string_view view(bytes.data() + offset, size);
      ASSERT_EQ(Crc32c(view), SlowCrc32c(part)) << size << " at " << offset;
    }
  }
}

TEST(Crc32cTest, AgreesWithTheDefinitionForManyPieces) {
  std::mt19937 random(2);
  std::string bytes;
  for (int i = 0; i < 20000; ++i) bytes.push_back(static_cast<char>(random()));
  for (size_t size = 1020; size < bytes.size(); size += 1021) {
    // A copy, so that a sanitizer sees what is read behind it.
    const std::string part = bytes.substr(0, size);
    ASSERT_EQ(Crc32c(part), SlowCrc32c(part)) << size;
  }
}

TEST(Crc32cTest, IsExtendedPartByPart) {
  const std::string bytes = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const absl::string_view all = bytes;
    EXPECT_EQ(ExtendCrc32c(Crc32c(all.substr(0, cut)), all.substr(cut)),
              Crc32c(all));
  }
}

}  // namespace
}  // namespace internode::core
