#ifndef INTERNODE_RPC_PEER_H_
#define INTERNODE_RPC_PEER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "internode/v1/common.pb.h"

// The handshake: who speaks, and whether the two understand each other.

namespace internode::rpc {

// The version of internode/v1.
inline constexpr uint32_t kProtocol = 1;

// This process.
v1::Peer LocalPeer();

// Whether a peer, called `what` in the message ("worker", "scheduler"), speaks
// what this build speaks: the same protocol, and the same major.minor version.
// Error (kFailedPrecondition): names both versions.
absl::Status CheckPeer(const v1::Peer& peer, absl::string_view what);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_PEER_H_
