#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "scheduler/engine/engine.h"
#include "scheduler/journal/job_id.h"

// Data streams: frames in, acknowledgements out.

namespace internode::scheduler {

void Engine::OpenData(LinkId link, std::shared_ptr<DataLink> data) {
  strand_->Post([this, link, data = std::move(data)]() mutable {
    if (closed_) {
      data->Close(absl::UnavailableError(kStopping));
    } else {
      datas_[link].link = std::move(data);
    }
  });
}

void Engine::Attach(LinkId link, uint64_t session) {
  strand_->Post([this, link, session] { OnAttach(link, session); });
}

void Engine::ReceiveFrame(LinkId link, const v1::Frame& message,
                          std::unique_ptr<const ReceivedFrame> frame) {
  core::FrameArrived event;
  event.job = {message.job()};
  event.lease = {message.lease_id()};
  event.busy = absl::Nanoseconds(std::max<int64_t>(0, message.busy_ns()));
  event.tasks = frame->view().tasks();
  strand_->Post([this, link, sequence = message.sequence(), event,
                 frame = std::move(frame)]() mutable {
    OnFrame(link, sequence, event, std::move(frame));
  });
}

void Engine::RejectData(LinkId link, const absl::Status& status) {
  strand_->Post([this, link, status] { RefuseData(link, status); });
}

void Engine::CloseData(LinkId link) {
  strand_->Post([this, link] {
    const auto it = datas_.find(link);
    if (it == datas_.end()) return;
    Worker* const worker = it->second.worker;
    datas_.erase(it);
    if (worker == nullptr || worker->data != link) return;
    worker->data = 0;
    Lose(worker, "its data stream ended");
  });
}

void Engine::OnAttach(LinkId link, uint64_t session) {
  const auto it = datas_.find(link);
  if (it == datas_.end()) return;
  const auto found = sessions_.find(session);
  if (it->second.worker != nullptr || found == sessions_.end() ||
      found->second->data != 0) {
    RefuseData(link, absl::FailedPreconditionError(
                         "there is no such session to attach to; connect "
                         "again"));
    return;
  }
  Worker* const worker = found->second;
  worker->data = link;
  it->second.worker = worker;
  it->second.epoch = worker->epoch;
}

void Engine::OnFrame(LinkId link, uint64_t sequence, core::FrameArrived event,
                     std::unique_ptr<const ReceivedFrame> frame) {
  const auto it = datas_.find(link);
  if (it == datas_.end()) return;
  DataStream& stream = it->second;
  if (stream.worker == nullptr || sequence != stream.last_sequence + 1) {
    RefuseData(link,
               absl::InvalidArgumentError(
                   stream.worker == nullptr
                       ? std::string("a frame came before Attach")
                       : absl::StrCat("frame ", sequence, " came after frame ",
                                      stream.last_sequence)));
    return;
  }
  const JobEntry* const entry = FindEntry(event.job);
  const absl::Status fits = entry == nullptr
                                ? absl::OkStatus()
                                : entry->job.CheckFrame(frame->view());
  if (!fits.ok()) {
    RefuseData(link, fits);
    return;
  }
  stream.last_sequence = sequence;
  ++counters_.frames_received;
  counters_.frame_bytes_received += static_cast<uint64_t>(frame->num_bytes());
  event.frame = {next_frame_++};
  event.worker = stream.worker->id;
  event.epoch = stream.epoch;
  stream.pending.push_back({.id = event.frame,
                            .sequence = sequence,
                            .num_bytes = frame->num_bytes()});
  frames_.emplace(
      event.frame,
      Arrived{.link = link, .job = event.job, .frame = std::move(frame)});
  CheckSpoolOf(event.job);
  Handle(event);
}

void Engine::OnCommitted(core::FrameId frame) {
  if (const auto it = frames_.find(frame); it != frames_.end()) {
    MarkChanged(it->second.job);
  }
  Handle(core::FrameCommitted{frame});
}

void Engine::Settle(core::FrameId id) {
  const auto it = frames_.find(id);
  if (it == frames_.end()) return;
  const Arrived arrived = std::move(it->second);
  frames_.erase(it);
  MarkChanged(arrived.job);
  const auto found = datas_.find(arrived.link);
  if (found == datas_.end()) return;
  DataStream& stream = found->second;
  const auto frame =
      std::lower_bound(stream.pending.begin(), stream.pending.end(), id,
                       [](const DataStream::PendingFrame& a, core::FrameId b) {
                         return a.id < b;
                       });
  if (frame == stream.pending.end() || frame->id != id) return;
  frame->settled = true;
  while (!stream.pending.empty() && stream.pending.front().settled) {
    stream.ack_sequence = stream.pending.front().sequence;
    stream.ack_bytes += stream.pending.front().num_bytes;
    stream.pending.pop_front();
    acks_due_.insert(arrived.link);
  }
}

void Engine::SendAcks() {
  for (const LinkId link : acks_due_) {
    const auto it = datas_.find(link);
    if (it == datas_.end()) continue;
    DataStream& stream = it->second;
    stream.link->Acknowledge(stream.ack_sequence, stream.ack_bytes);
    stream.ack_bytes = 0;
  }
  acks_due_.clear();
}

void Engine::OnFrameLost(core::FrameId frame) {
  const auto it = frames_.find(frame);
  if (it == frames_.end()) return;
  const core::JobId job = it->second.job;
  Handle(core::FrameLost{frame});
  if (FindEntry(job) != nullptr) {
    LogError("the spool of job ", FormatJobId(job), " is gone");
    Handle(core::JobAborted{job, "its folder in the spool is gone"});
  }
  Settle(frame);
}

void Engine::RefuseData(LinkId link, const absl::Status& status) {
  const auto it = datas_.find(link);
  if (it == datas_.end()) return;
  ++counters_.liars_closed;
  LogWarning("a data stream is closed: ", status.message());
  it->second.link->Close(status);
  Worker* const worker = it->second.worker;
  datas_.erase(it);
  if (worker == nullptr || worker->data != link) return;
  worker->data = 0;
  Lose(worker, status.message());
}

}  // namespace internode::scheduler
