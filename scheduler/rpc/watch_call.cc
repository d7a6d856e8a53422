#include "scheduler/rpc/watch_call.h"

#include <utility>

#include "rpc/status.h"

namespace internode::scheduler {

void WatchCall::Start(const Caller& caller, const std::string& job_id) {
  self_ = shared_from_this();
  stream_ = gate_->BeginStream(
      caller, [weak = weak_from_this()](const absl::Status& status) {
        if (const auto self = weak.lock()) self->End(status);
      });
  engine_->WatchJob(job_id, watch_, self_);
}

void WatchCall::Update(const v1::JobInfo& info) {
  MutexLock lock(&mu_);
  latest_ = info;
  ProceedLocked();
}

void WatchCall::End(const absl::Status& status) {
  MutexLock lock(&mu_);
  if (!end_.has_value()) end_ = rpc::ToGrpc(status);
  ProceedLocked();
}

void WatchCall::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  writing_ = false;
  if (!ok) {
    latest_.reset();
    if (!end_.has_value()) end_ = grpc::Status::CANCELLED;
  }
  ProceedLocked();
}

void WatchCall::OnCancel() {
  engine_->StopWatching(watch_);
  MutexLock lock(&mu_);
  latest_.reset();
  if (!end_.has_value()) end_ = grpc::Status::CANCELLED;
  ProceedLocked();
}

void WatchCall::OnDone() {
  gate_->EndStream(stream_);
  engine_->StopWatching(watch_);
  // May delete this.
  self_.reset();
}

void WatchCall::ProceedLocked() {
  if (writing_ || finished_) return;
  if (latest_.has_value()) {
    written_ = *std::move(latest_);
    latest_.reset();
    writing_ = true;
    StartWrite(&written_);
  } else if (end_.has_value()) {
    finished_ = true;
    Finish(*end_);
  }
}

}  // namespace internode::scheduler
