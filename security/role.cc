#include "security/role.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::security {

absl::string_view RoleName(Role role) {
  switch (role) {
    case Role::kRead:
      return "read";
    case Role::kSubmit:
      return "submit";
    case Role::kAdmin:
      return "admin";
    case Role::kWorker:
      return "worker";
  }
  return "";
}

absl::StatusOr<Role> ParseRole(absl::string_view name) {
  for (const Role role :
       {Role::kRead, Role::kSubmit, Role::kAdmin, Role::kWorker}) {
    if (name == RoleName(role)) return role;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no role '", name.substr(0, 32),
                   "'; there are admin, submit, read and worker"));
}

}  // namespace internode::security
