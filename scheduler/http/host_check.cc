#include "scheduler/http/host_check.h"

#include <arpa/inet.h>

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace internode::scheduler {
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

bool IsOurHost(absl::string_view header, absl::string_view listen_host,
               absl::string_view machine) {
  const absl::string_view host = HostOf(header);
  if (host.empty()) return false;
  const absl::string_view short_name = machine.substr(0, machine.find('.'));
  return IsAddress(host) || absl::EqualsIgnoreCase(host, "localhost") ||
         absl::EqualsIgnoreCase(host, listen_host) ||
         absl::EqualsIgnoreCase(host, machine) ||
         absl::EqualsIgnoreCase(host, short_name);
}

}  // namespace internode::scheduler
