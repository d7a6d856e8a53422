#ifndef INTERNODE_RPC_JOB_PROTO_H_
#define INTERNODE_RPC_JOB_PROTO_H_

#include "absl/status/statusor.h"

#include "core/chunk_grid.h"
#include "core/job_spec.h"
#include "core/planned_job.h"
#include "core/record_schema.h"
#include "internode/v1/common.pb.h"
#include "internode/v1/job.pb.h"

// Jobs as messages. FromProto believes nothing that it reads: what it returns
// keeps the promises of its type. Errors (kInvalidArgument) say which field is
// wrong and why.

namespace internode::rpc {

// What a job's parameters, names and values together, may take.
inline constexpr size_t kMaxParameterBytes = size_t{1} << 20;
// Tasks that a job may list.
inline constexpr int kMaxSelections = 1'000'000;

v1::ChunkGrid ToProto(const core::ChunkGrid& grid);
absl::StatusOr<core::ChunkGrid> FromProto(const v1::ChunkGrid& message);

v1::RecordSchema ToProto(const core::RecordSchema& schema);
absl::StatusOr<core::RecordSchema> FromProto(const v1::RecordSchema& message);

v1::JobSpec ToProto(const core::JobSpec& spec);
absl::StatusOr<core::JobSpec> FromProto(const v1::JobSpec& message);

v1::JobPlan ToProto(const core::PlannedJob& job);
absl::StatusOr<core::PlannedJob> FromProto(const v1::JobPlan& message);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_JOB_PROTO_H_
