#include "scheduler/access/gate.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

// With calls, roles and certificates: tests/integration/tokens_test.py.

namespace internode::scheduler {
namespace {

TEST(GateTest, TokensAreFoundInHeaders) {
  EXPECT_EQ(TokenOf("Bearer abc"), "abc");
  EXPECT_EQ(TokenOf("bearer   abc "), "abc");
  EXPECT_EQ(TokenOf(absl::StrCat("Basic ", absl::Base64Escape("me:abc"))),
            "abc");
  EXPECT_EQ(TokenOf(absl::StrCat("Basic ", absl::Base64Escape("me:a:b"))),
            "a:b");
  for (const std::string& header :
       {std::string(), std::string("Bearer"), std::string("abc"),
        std::string("Basic !"),
        absl::StrCat("Basic ", absl::Base64Escape("abc")),
        std::string("Digest abc")}) {
    EXPECT_EQ(TokenOf(header), "") << header;
  }
}

TEST(GateTest, PeersAreReadable) {
  EXPECT_EQ(PeerText("ipv4:10.0.0.5:40312"), "10.0.0.5:40312");
  EXPECT_EQ(PeerText("ipv6:%5B::1%5D:40312"), "[::1]:40312");
  EXPECT_EQ(PeerText("unix:/a"), "unix:/a");
}

TEST(GateTest, WithoutAnythingNobodyIsAsked) {
  Gate gate({});
  EXPECT_FALSE(gate.asks());
  EXPECT_EQ(gate.guard(), nullptr);
}

TEST(GateTest, WithCertificatesAloneTokensAreRefused) {
  Gate gate({.certificates = true});
  EXPECT_TRUE(gate.asks());
  EXPECT_NE(gate.guard(), nullptr);
  EXPECT_EQ(gate.AdmitReader("Bearer abc", "here").code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(gate.AdmitReader("", "here").code(),
            absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace internode::scheduler
