#ifndef INTERNODE_WORKER_RPC_WORKER_PROTO_H_
#define INTERNODE_WORKER_RPC_WORKER_PROTO_H_

#include <vector>

#include "absl/status/statusor.h"

#include "internode/v1/worker.pb.h"
#include "worker/engine/messages.h"
#include "worker/engine/slot_page.h"

// The engine's messages on the wire. What comes from the scheduler is checked:
// ranges are neither negative nor reversed. Errors: kInvalidArgument.

namespace internode::worker {

absl::StatusOr<Lease> FromProto(const v1::Lease& message);
absl::StatusOr<TakeBack> FromProto(const v1::TakeBack& message);
absl::StatusOr<Revoke> FromProto(const v1::Revoke& message);
absl::StatusOr<OfferAnswer> FromProto(const v1::OfferAnswer& message);

v1::Offer ToProto(const Offer& offer);
v1::WorkerMessage ToProto(const TasksFailed& failed);
v1::WorkerMessage ToProto(const LeaseReturned& returned);
v1::WorkerMessage ToProto(Paused paused);
v1::WorkerMessage ToProto(Resumed resumed);
v1::WorkerMessage ToProto(const Draining& draining);
// Without the bytes.
v1::Frame ToProto(const FrameToSend& frame);
// As seen at `now_ns` on the monotonic clock.
v1::RunningTask ToProto(const RunningTask& running, int64_t now_ns);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_RPC_WORKER_PROTO_H_
