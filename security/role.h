#ifndef INTERNODE_SECURITY_ROLE_H_
#define INTERNODE_SECURITY_ROLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace internode::security {

// What a token or a certificate is good for. Which call needs which role is
// the scheduler's to say (scheduler/rpc/permissions.h).
enum class Role {
  // Looks at jobs, workers and results.
  kRead,
  // Plans, submits, cancels, retries and forgets jobs too.
  kSubmit,
  // All that a client can ask for.
  kAdmin,
  // Takes tasks and brings results; nothing else.
  kWorker,
};

// "read", "submit", "admin", "worker".
absl::string_view RoleName(Role role);
// Error (kInvalidArgument): names the four.
absl::StatusOr<Role> ParseRole(absl::string_view name);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_ROLE_H_
