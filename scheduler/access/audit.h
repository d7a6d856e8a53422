#ifndef INTERNODE_SCHEDULER_ACCESS_AUDIT_H_
#define INTERNODE_SCHEDULER_ACCESS_AUDIT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "scheduler/access/gate.h"

namespace internode::scheduler {

// One line of the log for what somebody did:
//
//   audit action=submit by=alice role=submit token=3f9a1c02
//   peer=10.0.0.5:40312 job=j000017 function=ccdc tasks=400 result=ok
//
// (on one line). Values with spaces, quotes or control characters are quoted
// and escaped, so that no value can look like another field or line.
std::string AuditLine(
    absl::string_view action, const Caller& caller,
    const std::vector<std::pair<std::string, std::string>>& facts,
    const absl::Status& result);

// Logs it.
void Audit(absl::string_view action, const Caller& caller,
           const std::vector<std::pair<std::string, std::string>>& facts,
           const absl::Status& result);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ACCESS_AUDIT_H_
