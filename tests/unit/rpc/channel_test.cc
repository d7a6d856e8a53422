#include "rpc/channel.h"

#include <gtest/gtest.h>

#include <string>

namespace internode::rpc {
namespace {

TEST(ParseAddressTest, AcceptsHostAndPort) {
  for (const char* address : {"127.0.0.1:8786", "host.example:1", "[::1]:8786",
                              "unix:/tmp/internode.sock"}) {
    EXPECT_EQ(*ParseAddress(address), address);
  }
}

TEST(ParseAddressTest, RefusesTheRest) {
  for (const char* address : {"", "host", ":8786", "host:", "host:0",
                              "host:65536", "host:x", "::1:8786", "unix:"}) {
    const absl::StatusOr<std::string> parsed = ParseAddress(address);
    ASSERT_FALSE(parsed.ok()) << address;
    EXPECT_EQ(std::string(parsed.status().message()),
              "'" + std::string(address) +
                  "' is not a scheduler's address; write host:port, for "
                  "example 127.0.0.1:8786");
  }
}

TEST(CheckMessageBytesTest, RefusesWhatTheOtherEndWould) {
  EXPECT_TRUE(CheckMessageBytes(0).ok());
  EXPECT_TRUE(CheckMessageBytes((16 << 20) - (64 << 10)).ok());
  const absl::Status refused = CheckMessageBytes(size_t{26} << 20);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(refused.message()),
            "the job takes 26 MiB as a message, which may have 15.9 MiB: list "
            "fewer selections (200,000 of two dimensions fit), or cut the cube "
            "into chunks");
}

}  // namespace
}  // namespace internode::rpc
