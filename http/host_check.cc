#include "http/host_check.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace internode::http {
namespace {

bool IsAddress(absl::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// The header without the port, and without the brackets of an IPv6 address.
absl::string_view HostOf(absl::string_view header) {
  if (absl::StartsWith(header, "[")) {
    const size_t end = header.find(']');
    return end == absl::string_view::npos ? "" : header.substr(1, end - 1);
  }
  return header.substr(0, header.rfind(':'));
}

}  // namespace

bool IsOurHost(absl::string_view header,
               const std::vector<std::string>& names) {
  const absl::string_view host = HostOf(header);
  if (host.empty()) return false;
  if (IsAddress(host) || absl::EqualsIgnoreCase(host, "localhost")) return true;
  return std::any_of(names.begin(), names.end(), [&](absl::string_view name) {
    return absl::EqualsIgnoreCase(host, name) ||
           absl::EqualsIgnoreCase(host, name.substr(0, name.find('.')));
  });
}

bool IsOurOrigin(absl::string_view origin, absl::string_view host) {
  if (origin.empty()) return true;
  return (absl::ConsumePrefix(&origin, "http://") ||
          absl::ConsumePrefix(&origin, "https://")) &&
         absl::EqualsIgnoreCase(origin, host);
}

}  // namespace internode::http
