#include "rpc/channel.h"

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/quantity.h"

namespace internode::rpc {

absl::Status CheckMessageBytes(size_t bytes) {
  // Room for what others put round it.
  constexpr size_t kMost = size_t{kMaxMessageBytes} - (64 << 10);
  if (bytes <= kMost) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the job takes ", FormatBytes(static_cast<int64_t>(bytes)),
      " as a message, which may have ",
      FormatBytes(static_cast<int64_t>(kMost)),
      ": list fewer selections (200,000 of two dimensions fit), or cut "
      "the cube into chunks"));
}

absl::StatusOr<std::string> ParseAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:/")) return std::string(address);
  const size_t colon = address.rfind(':');
  int port = 0;
  const bool has_port = colon != absl::string_view::npos && colon > 0 &&
                        absl::SimpleAtoi(address.substr(colon + 1), &port) &&
                        port > 0 && port <= 65535;
  const absl::string_view host = has_port ? address.substr(0, colon) : "";
  // An IPv6 host has colons of its own, and must be in brackets.
  const bool bare_v6 =
      absl::StrContains(host, ":") && !absl::StartsWith(host, "[");
  if (!has_port || bare_v6) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", address,
                     "' is not a scheduler's address; write host:port, for "
                     "example 127.0.0.1:8786"));
  }
  return std::string(address);
}

grpc::ChannelArguments ChannelArgumentsOfClients() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // How long an attempt may take; it is not waited for one that is refused.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  // Finds a peer that froze or was unplugged: nothing else does.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Every owner has a connection of its own, so that streams of one process
  // do not share flow control with another's.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace internode::rpc
