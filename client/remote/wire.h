#ifndef INTERNODE_CLIENT_REMOTE_WIRE_H_
#define INTERNODE_CLIENT_REMOTE_WIRE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "client/remote/connection.h"
#include "internode/job.h"
#include "internode/job_handle.h"
#include "internode/v1/job.pb.h"

// Between the values of the public headers and those of the wire.

namespace internode::client {

CallLimits LimitsOf(const CallOptions& options);

JobStatus StatusOf(const v1::JobInfo& info);
TaskFailure FailureOf(const v1::TaskFailure& failure);
v1::JobPolicy ToProto(const JobPolicy& policy);

// Asks the scheduler to check `options` against its cube and function.
absl::StatusOr<Job> PlanRemotely(Connection* connection,
                                 const JobOptions& options,
                                 const CallLimits& limits);

// Makes the job durable; returns its id.
absl::StatusOr<std::string> SubmitPlan(Connection* connection, const Job& job,
                                       const JobPolicy& policy,
                                       const CallLimits& limits);

// The plan that the scheduler holds of job `id`.
absl::StatusOr<Job> GetPlan(Connection* connection, const std::string& id,
                            const CallLimits& limits);

// The connection of an executor, or kUnimplemented for one of this process;
// `what` is what was asked for.
absl::StatusOr<std::shared_ptr<Connection>> ConnectionOf(
    const Executor* executor, absl::string_view what);

// Says so, in the log, if what a worker is asked has to wait for one.
void TellIfWorkersLack(const Executor& executor);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_WIRE_H_
