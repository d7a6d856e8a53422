#include "base/listen_address.h"

#include <gtest/gtest.h>

namespace internode {
namespace {

TEST(ListenAddressTest, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost",
                           "LocalHost", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "node7",
                           "localhost.example.org", "", "127.0.0.1.example.org",
                           "::ffff:10.0.0.1", "127.0.0"}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(ListenAddressTest, HostAndPort) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:8786")->host, "127.0.0.1");
  EXPECT_EQ(ParseListenAddress("127.0.0.1:8786")->port, 8786);
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseListenAddress("node7:65535")->port, 65535);
  for (const char* text :
       {"", ":", "8786", "node7", "node7:", ":8786", "node7:x", "node7:-1",
        "node7:65536", "::1:80", "node7:80x"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

}  // namespace
}  // namespace internode
