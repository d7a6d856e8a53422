#include "rpc/peer.h"

#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/version.h"

namespace internode::rpc {
namespace {

// "0.1" of "0.1.7".
std::pair<absl::string_view, absl::string_view> MajorMinor(
    absl::string_view version) {
  const std::vector<absl::string_view> parts = absl::StrSplit(version, '.');
  return {parts[0], parts.size() > 1 ? parts[1] : absl::string_view()};
}

std::string HostName() {
  std::array<char, 257> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

}  // namespace

v1::Peer LocalPeer() {
  v1::Peer peer;
  const absl::string_view version = Version();
  peer.set_version(std::string(version));
  peer.set_protocol(kProtocol);
  peer.set_host(HostName());
  peer.set_pid(getpid());
  return peer;
}

absl::Status CheckPeer(const v1::Peer& peer, absl::string_view what) {
  const absl::string_view theirs(peer.version());
  if (peer.protocol() == kProtocol &&
      MajorMinor(theirs) == MajorMinor(Version())) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the ", what, " is Internode ",
      theirs.empty() ? "of an unknown version" : theirs.substr(0, 32),
      " (protocol ", peer.protocol(), "), this is ", Version(), " (protocol ",
      kProtocol, "); both must have the same major and minor version"));
}

}  // namespace internode::rpc
