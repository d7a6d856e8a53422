#include "worker/rpc/worker_proto.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "rpc/job_proto.h"

namespace internode::worker {
namespace {

// Of one message: more is a mistake of the sender.
constexpr int kMostRanges = 1'000'000;

absl::StatusOr<core::Interval> Range(const v1::TaskRange& range) {
  if (range.begin() < 0 || range.end() < range.begin()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tasks ", range.begin(), " to ", range.end()));
  }
  return core::Interval{range.begin(), range.end()};
}

template <class Ranges>
absl::StatusOr<std::vector<core::Interval>> AllRanges(const Ranges& ranges) {
  if (ranges.size() > kMostRanges) {
    return absl::InvalidArgumentError(
        absl::StrCat(ranges.size(), " ranges of tasks"));
  }
  std::vector<core::Interval> intervals;
  intervals.reserve(static_cast<size_t>(ranges.size()));
  for (const v1::TaskRange& range : ranges) {
    INTERNODE_ASSIGN_OR_RETURN(const core::Interval interval, Range(range));
    intervals.push_back(interval);
  }
  return intervals;
}

absl::StatusOr<std::shared_ptr<const JobRequest>> Request(
    const v1::JobPlan& plan) {
  auto request = std::make_shared<JobRequest>();
  INTERNODE_ASSIGN_OR_RETURN(core::PlannedJob planned, rpc::FromProto(plan));
  request->spec = planned.spec;
  request->fingerprint = planned.fingerprint;
  request->submitted =
      std::make_shared<const core::PlannedJob>(std::move(planned));
  return std::shared_ptr<const JobRequest>(std::move(request));
}

void SetRange(core::Interval tasks, v1::TaskRange* range) {
  range->set_begin(tasks.begin);
  range->set_end(tasks.end);
}

}  // namespace

absl::StatusOr<Lease> FromProto(const v1::Lease& message) {
  Lease lease;
  lease.job = message.job();
  lease.lease = message.lease_id();
  INTERNODE_ASSIGN_OR_RETURN(lease.tasks, Range(message.tasks()));
  if (message.has_plan()) {
    INTERNODE_ASSIGN_OR_RETURN(lease.request, Request(message.plan()));
  }
  lease.front = message.front();
  lease.alone = message.alone();
  return lease;
}

absl::StatusOr<TakeBack> FromProto(const v1::TakeBack& message) {
  TakeBack take_back = {message.job(), message.lease_id(), {}};
  INTERNODE_ASSIGN_OR_RETURN(take_back.tasks, Range(message.tasks()));
  return take_back;
}

absl::StatusOr<Revoke> FromProto(const v1::Revoke& message) {
  Revoke revoke = {message.job(), message.lease_id(), {}};
  INTERNODE_ASSIGN_OR_RETURN(revoke.tasks, AllRanges(message.tasks()));
  return revoke;
}

absl::StatusOr<OfferAnswer> FromProto(const v1::OfferAnswer& message) {
  OfferAnswer answer;
  answer.job = message.job();
  answer.lease = message.lease_id();
  INTERNODE_ASSIGN_OR_RETURN(answer.wanted, AllRanges(message.wanted()));
  if (message.has_plan()) {
    INTERNODE_ASSIGN_OR_RETURN(answer.request, Request(message.plan()));
  }
  return answer;
}

v1::Offer ToProto(const Offer& offer) {
  v1::Offer message;
  message.set_job(offer.job);
  for (const core::Interval& run : offer.tasks) {
    SetRange(run, message.add_tasks());
  }
  return message;
}

v1::WorkerMessage ToProto(const TasksFailed& failed) {
  v1::WorkerMessage message;
  v1::TasksFailed* const body = message.mutable_tasks_failed();
  body->set_job(failed.job);
  body->set_lease_id(failed.lease);
  SetRange(failed.tasks, body->mutable_tasks());
  body->set_message(failed.message);
  body->set_retryable(failed.retryable);
  return message;
}

v1::WorkerMessage ToProto(const LeaseReturned& returned) {
  v1::WorkerMessage message;
  v1::LeaseReturned* const body = message.mutable_lease_returned();
  body->set_job(returned.job);
  body->set_lease_id(returned.lease);
  for (const core::Interval& run : returned.tasks) {
    SetRange(run, body->add_tasks());
  }
  return message;
}

v1::WorkerMessage ToProto(Paused /*paused*/) {
  v1::WorkerMessage message;
  message.mutable_paused();
  return message;
}

v1::WorkerMessage ToProto(Resumed /*resumed*/) {
  v1::WorkerMessage message;
  message.mutable_resumed();
  return message;
}

v1::WorkerMessage ToProto(const Draining& draining) {
  v1::WorkerMessage message;
  message.mutable_draining()->set_reason(draining.reason);
  return message;
}

v1::Frame ToProto(const FrameToSend& frame) {
  v1::Frame message;
  message.set_job(frame.job);
  message.set_lease_id(frame.lease);
  message.set_sequence(frame.sequence);
  message.set_busy_ns(absl::ToInt64Nanoseconds(frame.busy));
  return message;
}

v1::RunningTask ToProto(const RunningTask& running, int64_t now_ns) {
  v1::RunningTask message;
  message.set_job(running.job);
  message.set_task(running.task);
  message.set_elapsed_ns(std::max<int64_t>(0, now_ns - running.start_ns));
  return message;
}

}  // namespace internode::worker
