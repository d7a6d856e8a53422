#ifndef INTERNODE_BASE_LISTEN_ADDRESS_H_
#define INTERNODE_BASE_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode {

// Where a daemon listens.
struct ListenAddress {
  // Without brackets.
  std::string host;
  // 0: any free one.
  int port = 0;
};

// Parses "127.0.0.1:8786", "[::1]:0" or "node7:8786". Errors
// (kInvalidArgument) say how it is written.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// Whether only this machine reaches what listens on `host`: an address of
// loopback, or `localhost`.
bool IsLoopback(absl::string_view host);

}  // namespace internode

#endif  // INTERNODE_BASE_LISTEN_ADDRESS_H_
