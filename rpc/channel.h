#ifndef INTERNODE_RPC_CHANNEL_H_
#define INTERNODE_RPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "rpc/credentials.h"

namespace internode::rpc {

// The largest message that either end accepts. Frames travel in pieces of at
// most kPieceBytes.
inline constexpr int kMaxMessageBytes = 16 << 20;
inline constexpr int kPieceBytes = 1 << 20;

// Whether a message of so many bytes can be sent; kInvalidArgument if not,
// which only jobs that list many selections meet.
absl::Status CheckMessageBytes(size_t bytes);

// Checks "host:port", "[v6]:port" or "unix:/path" and returns it as gRPC
// takes it. Errors (kInvalidArgument): no port, a port out of range.
absl::StatusOr<std::string> ParseAddress(absl::string_view address);

// A channel to the scheduler at `address`, which was checked. Connects when it
// is first used, and again by itself, with back-off up to 5 s.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address,
                                          const Credentials& credentials);

// How those channels are: their sizes, back-off and signs of life.
grpc::ChannelArguments ChannelArgumentsOfClients();

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_CHANNEL_H_
