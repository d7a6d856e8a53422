#include "scheduler/rpc/fetch_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/frame.h"
#include "rpc/byte_field.h"
#include "rpc/channel.h"
#include "rpc/status.h"

namespace internode::scheduler {
namespace {

// So many bytes are read ahead of what is sent.
constexpr int64_t kReadAheadBytes = int64_t{2} << 20;
// A frame of so many bytes is sent by whoever finds that it is there.
constexpr int64_t kSmallBytes = int64_t{64} << 10;
// Room for the rest of a message.
constexpr size_t kPiece = rpc::kPieceBytes - 64;

}  // namespace

FetchCall::FetchCall(Engine* engine, Gate* gate, Strand* reader,
                     const v1::FetchFramesRequest& request)
    : engine_(engine),
      gate_(gate),
      reader_(reader),
      job_id_(request.job_id()),
      end_task_(request.has_end_task()
                    ? std::max<int64_t>(0, request.end_task())
                    : -1),
      done_only_(request.done_only()),
      waiter_(engine->NewId()),
      next_task_(request.from_task()) {}

void FetchCall::Start(const Caller& caller) {
  self_ = shared_from_this();
  stream_ = gate_->BeginStream(
      caller, [weak = weak_from_this()](const absl::Status& status) {
        if (const auto self = weak.lock()) self->Abandon(status);
      });
  MutexLock lock(&mu_);
  PrepareLocked();
}

void FetchCall::Refuse(const absl::Status& status) {
  self_ = shared_from_this();
  MutexLock lock(&mu_);
  EndLocked(status);
  ProceedLocked();
}

void FetchCall::PrepareLocked() {
  if (preparing_ || end_.has_value() || queued_bytes_ >= kReadAheadBytes) {
    return;
  }
  if (last_task_.has_value() && next_task_ >= *last_task_) {
    EndLocked(absl::OkStatus());
    return;
  }
  preparing_ = true;
  // A task before the first is the engine's to refuse.
  if (next_task_ >= ready_.ready.begin && next_task_ < ready_.ready.end) {
    reader_->Post([self = shared_from_this()] { self->Read(); });
    return;
  }
  engine_->NextFetch(
      job_id_, next_task_, end_task_, done_only_, waiter_,
      [self = shared_from_this()](absl::StatusOr<FetchStep> step) mutable {
        self->OnStep(std::move(step));
      });
}

void FetchCall::OnStep(absl::StatusOr<FetchStep> step) {
  MutexLock lock(&mu_);
  preparing_ = false;
  if (!step.ok()) {
    EndLocked(step.status());
  } else if (step->ready.size() > 0) {
    last_task_ = step->end;
    ready_ = *std::move(step);
    // What is small is sent at once: to hand it over takes longer.
    if (auto item = FindFrame(ready_, next_task_, kSmallBytes)) {
      QueueLocked(*std::move(item));
    }
  } else if (step->failures.empty()) {
    EndLocked(absl::OkStatus());
  } else {
    last_task_ = step->end;
    for (FetchStep::Failure& failed : step->failures) {
      next_task_ = failed.tasks.end;
      Item& item = queue_.emplace_back();
      item.tasks = failed.tasks;
      item.failure = std::move(failed.failure);
    }
  }
  PrepareLocked();
  ProceedLocked();
}

void FetchCall::QueueLocked(Item item) {
  next_task_ = item.tasks.end;
  queued_bytes_ += static_cast<int64_t>(item.frame.size());
  queue_.push_back(std::move(item));
}

void FetchCall::Read() {
  FetchStep step;
  int64_t task = 0;
  {
    MutexLock lock(&mu_);
    step = ready_;
    task = next_task_;
  }
  absl::StatusOr<Item> item = ReadFrame(step, task);
  MutexLock lock(&mu_);
  preparing_ = false;
  if (item.ok()) {
    QueueLocked(*std::move(item));
  } else {
    EndLocked(item.status());
  }
  PrepareLocked();
  ProceedLocked();
}

std::optional<FetchCall::Item> FetchCall::FindFrame(const FetchStep& step,
                                                    int64_t task,
                                                    int64_t most_bytes) const {
  const std::shared_ptr<const ReceivedFrame> frame =
      engine_->FindRecent(step.job, task);
  if (frame == nullptr || frame->num_bytes() > most_bytes ||
      frame->view().tasks().end > step.end) {
    return std::nullopt;
  }
  Item item;
  item.tasks = frame->view().tasks();
  item.frame = rpc::SharedSlice(frame, frame->view().bytes());
  return item;
}

absl::StatusOr<FetchCall::Item> FetchCall::ReadFrame(const FetchStep& step,
                                                     int64_t task) {
  if (auto item = FindFrame(step, task, internode::core::kMaxFrameBytes)) {
    return *std::move(item);
  }
  if (spool_reader_ == nullptr || spool_reader_->next_task() != task) {
    spool_reader_ = std::make_unique<SpoolReader>(step.spool, task);
  }
  INTERNODE_ASSIGN_OR_RETURN(std::optional<std::string> read,
                             spool_reader_->Next());
  if (!read.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("task ", task, " is not in the spool any more"));
  }
  Item item;
  item.tasks = {task, spool_reader_->next_task()};
  if (item.tasks.end > step.end) {
    INTERNODE_ASSIGN_OR_RETURN(const internode::core::FrameView view,
                               internode::core::FrameView::Parse(*read));
    item.tasks.end = step.end;
    INTERNODE_ASSIGN_OR_RETURN(*read,
                               internode::core::SliceFrame(view, item.tasks));
  }
  const auto frame = std::make_shared<const std::string>(*std::move(read));
  item.frame = rpc::SharedSlice(frame, *frame);
  return item;
}

void FetchCall::EndLocked(const absl::Status& status) {
  if (!end_.has_value()) end_ = rpc::ToGrpc(status);
}

void FetchCall::ProceedLocked() {
  if (writing_ || finished_) return;
  if (!queue_.empty()) {
    written_ = NextMessageLocked();
    if (queue_.empty() && end_.has_value() && end_->ok()) {
      finished_ = true;
      StartWriteAndFinish(&written_, grpc::WriteOptions(), *end_);
    } else {
      writing_ = true;
      StartWrite(&written_);
    }
  } else if (end_.has_value()) {
    finished_ = true;
    Finish(*end_);
  }
}

grpc::ByteBuffer FetchCall::NextMessageLocked() {
  Item& item = queue_.front();
  v1::FetchFramesResponse message;
  message.mutable_tasks()->set_begin(item.tasks.begin);
  message.mutable_tasks()->set_end(item.tasks.end);
  if (item.failure.has_value()) {
    *message.mutable_failure() = *std::move(item.failure);
    queue_.pop_front();
    return rpc::ToByteBuffer(message);
  }
  const size_t size = std::min(kPiece, item.frame.size());
  const grpc::Slice piece = item.frame.sub(0, size);
  item.frame = item.frame.sub(size, item.frame.size());
  queued_bytes_ -= static_cast<int64_t>(size);
  message.set_continues(item.frame.size() > 0);
  if (!message.continues()) queue_.pop_front();
  return rpc::WithByteField(message, v1::FetchFramesResponse::kFrameFieldNumber,
                            piece);
}

void FetchCall::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  writing_ = false;
  if (!ok) {
    queue_.clear();
    EndLocked(absl::CancelledError("the client is gone"));
  }
  PrepareLocked();
  ProceedLocked();
}

void FetchCall::OnCancel() {
  Abandon(absl::CancelledError("the call was cancelled"));
}

void FetchCall::Abandon(const absl::Status& status) {
  engine_->StopWaiting(waiter_);
  MutexLock lock(&mu_);
  queue_.clear();
  EndLocked(status);
  ProceedLocked();
}

void FetchCall::OnDone() {
  gate_->EndStream(stream_);
  engine_->StopWaiting(waiter_);
  // May delete this.
  self_.reset();
}

}  // namespace internode::scheduler
