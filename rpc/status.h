#ifndef INTERNODE_RPC_STATUS_H_
#define INTERNODE_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace internode::rpc {

// The two kinds of status have the same codes; messages are carried over, cut
// to 4 KiB, because they travel in HTTP/2 headers.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_STATUS_H_
