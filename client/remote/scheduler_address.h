#ifndef INTERNODE_CLIENT_REMOTE_SCHEDULER_ADDRESS_H_
#define INTERNODE_CLIENT_REMOTE_SCHEDULER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"

#include "internode/cluster.h"
#include "rpc/credentials.h"

namespace internode::client {

// Where the scheduler is that the options name: there, or where its file says.
// Errors: kNotFound (no such file), kInvalidArgument (it holds no address).
absl::StatusOr<std::string> AddressOf(const SetupOptions& options);

// How to connect to it.
rpc::ConnectionSecurity SecurityOf(const SetupOptions& options);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_SCHEDULER_ADDRESS_H_
