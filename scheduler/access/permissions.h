#ifndef INTERNODE_SCHEDULER_ACCESS_PERMISSIONS_H_
#define INTERNODE_SCHEDULER_ACCESS_PERMISSIONS_H_

#include <string>

#include "absl/strings/string_view.h"

#include "security/role.h"

// Which role may call what: the one place that says so. Methods are written as
// gRPC does: "/internode.v1.ClientService/SubmitJob".

namespace internode::scheduler {

// Whether everybody may: gRPC's health service.
bool IsForEverybody(absl::string_view method);

// A method that is not known is nobody's.
bool MayCall(security::Role role, absl::string_view method);

// "submit or admin": those who may; "nobody".
std::string WhoMayCall(absl::string_view method);

// Whether the pages of HTTP are for this role.
bool MayRead(security::Role role);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ACCESS_PERMISSIONS_H_
