#include "http/host_check.h"

#include "gtest/gtest.h"

namespace internode::http {
namespace {

TEST(HostCheckTest, AddressesAndOwnNamesAreOurs) {
  for (const char* header :
       {"127.0.0.1:8787", "127.0.0.1", "[::1]:8787", "10.1.2.3:80",
        "localhost:8787", "LOCALHOST", "node7.cluster:8787", "node7:8787",
        "gate.example:8787"}) {
    EXPECT_TRUE(IsOurHost(header, {"gate.example", "node7.cluster"})) << header;
  }
}

TEST(HostCheckTest, OtherNamesAreNot) {
  for (const char* header :
       {"", ":8787", "evil.example", "evil.example:8787", "localhost.evil",
        "node7.evil", "[evil]:8787", "[", "127.0.0.1.evil.example:80"}) {
    EXPECT_FALSE(IsOurHost(header, {"127.0.0.1", "node7.cluster"})) << header;
  }
}

TEST(HostCheckTest, PagesOfTheSameHostMayAsk) {
  EXPECT_TRUE(IsOurOrigin("", "node7:8787"));
  EXPECT_TRUE(IsOurOrigin("http://node7:8787", "node7:8787"));
  EXPECT_TRUE(IsOurOrigin("https://NODE7:8787", "node7:8787"));
  for (const char* origin :
       {"null", "http://evil.example", "http://node7", "http://node7:8788",
        "node7:8787", "ftp://node7:8787", "http://node7:8787/", "http://",
        "http://node7:8787.evil.example"}) {
    EXPECT_FALSE(IsOurOrigin(origin, "node7:8787")) << origin;
  }
}

}  // namespace
}  // namespace internode::http
