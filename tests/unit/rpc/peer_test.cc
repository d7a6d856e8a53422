#include "rpc/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace internode::rpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(PeerTest, UnderstandsItself) {
  EXPECT_TRUE(CheckPeer(LocalPeer(), "worker").ok());
}

TEST(PeerTest, UnderstandsAnotherPatch) {
  v1::Peer peer = LocalPeer();
  const size_t dot = peer.version().rfind('.');
  peer.set_version(peer.version().substr(0, dot) + ".77");
  EXPECT_TRUE(CheckPeer(peer, "worker").ok());
}

TEST(PeerTest, RefusesAnotherVersionAndNamesBoth) {
  v1::Peer peer = LocalPeer();
  const std::string mine = peer.version();
  peer.set_version("9.1.0");
  const absl::Status status = CheckPeer(peer, "worker");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("the worker is Internode 9.1.0"),
                    HasSubstr("this is " + mine)));
}

TEST(PeerTest, RefusesAnotherProtocolAndNone) {
  v1::Peer peer = LocalPeer();
  peer.set_protocol(2);
  EXPECT_FALSE(CheckPeer(peer, "scheduler").ok());
  EXPECT_THAT(std::string(CheckPeer(v1::Peer(), "scheduler").message()),
              HasSubstr("an unknown version"));
}

}  // namespace
}  // namespace internode::rpc
