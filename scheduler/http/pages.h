#ifndef INTERNODE_SCHEDULER_HTTP_PAGES_H_
#define INTERNODE_SCHEDULER_HTTP_PAGES_H_

#include <string>

#include "internode/v1/client.pb.h"

// What the HTTP server says, as JSON and as a page. Times are nanoseconds since
// 1970-01-01 UTC in JSON, as in the messages.

namespace internode::scheduler {

std::string JobsJson(const v1::ListJobsResponse& jobs);
std::string JobJson(const v1::JobInfo& job);
std::string WorkersJson(const v1::ListWorkersResponse& workers);
std::string ClusterJson(const v1::GetClusterResponse& cluster);
// {"error":"…"}
std::string ErrorJson(const std::string& message);

// One HTML page without scripts; all that comes from outside is escaped.
std::string StatusPage(const v1::GetClusterResponse& cluster,
                       const v1::ListJobsResponse& jobs,
                       const v1::ListWorkersResponse& workers);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_HTTP_PAGES_H_
