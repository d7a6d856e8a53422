#ifndef INTERNODE_CLIENT_REMOTE_HEALTH_H_
#define INTERNODE_CLIENT_REMOTE_HEALTH_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "internode/cluster.h"

namespace internode::client {

// Asks gRPC's health service at the scheduler that `options` name. It needs no
// token. Errors: kUnavailable (nothing answers in time, or it does not serve),
// those of connecting.
absl::Status CheckHealth(const SetupOptions& options, absl::Duration timeout);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_HEALTH_H_
