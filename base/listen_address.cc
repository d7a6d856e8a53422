#include "base/listen_address.h"

#include <arpa/inet.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace internode {

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(
        "write HOST:PORT, for example 127.0.0.1:8786; port 0 takes a free one");
  }
  absl::string_view host = text.substr(0, colon);
  const bool bracketed =
      absl::StartsWith(host, "[") && absl::EndsWith(host, "]");
  if (absl::StrContains(host, ":") && !bracketed) {
    return absl::InvalidArgumentError(
        "write an IPv6 host in brackets: [::1]:8786");
  }
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = std::string(host);
  return address;
}

bool IsLoopback(absl::string_view host) {
  in_addr v4{};
  in6_addr v6{};
  const std::string text(host);
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24 == 127;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) ||
           (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  return absl::EqualsIgnoreCase(host, "localhost");
}

}  // namespace internode
