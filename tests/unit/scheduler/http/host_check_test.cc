#include "scheduler/http/host_check.h"

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

TEST(HostCheckTest, AddressesAndOwnNamesAreOurs) {
  for (const char* header :
       {"127.0.0.1:8787", "127.0.0.1", "[::1]:8787", "10.1.2.3:80",
        "localhost:8787", "LOCALHOST", "node7.cluster:8787", "node7:8787",
        "gate.example:8787"}) {
    EXPECT_TRUE(IsOurHost(header, "gate.example", "node7.cluster")) << header;
  }
}

TEST(HostCheckTest, OtherNamesAreNot) {
  for (const char* header :
       {"", ":8787", "evil.example", "evil.example:8787", "localhost.evil",
        "node7.evil", "[evil]:8787", "[", "127.0.0.1.evil.example:80"}) {
    EXPECT_FALSE(IsOurHost(header, "127.0.0.1", "node7.cluster")) << header;
  }
}

}  // namespace
}  // namespace internode::scheduler
