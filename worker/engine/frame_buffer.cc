#include "worker/engine/frame_buffer.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"

#include "core/frame.h"

namespace internode::worker {

void FrameBuffer::Restart() {
  std::deque<Held> all;
  for (Held& held : sent_) {
    if (held.bytes != nullptr) all.push_back(std::move(held));
  }
  for (Held& held : waiting_) all.push_back(std::move(held));
  for (Held& held : all) {
    held.sequence = 0;
    held.lease->live = false;
  }
  waiting_ = std::move(all);
  sent_.clear();
  last_sequence_ = 0;
  in_flight_bytes_ = 0;
}

void FrameBuffer::Release(Held* held) {
  if (held->bytes == nullptr) return;
  held_bytes_ -= held->size;
  held->bytes = nullptr;
}

void FrameBuffer::Cut(Held held, const core::IntervalSet& dropped,
                      std::deque<Held>* out) {
  const core::IntervalSet kept = dropped.Missing(held.tasks);
  if (kept.size() == held.tasks.size()) {
    out->push_back(std::move(held));
    return;
  }
  const std::shared_ptr<const std::string> bytes = held.bytes;
  const int64_t all = held.tasks.size();
  Release(&held);
  if (kept.empty()) return;
  // An encoder made the frame: it can be read.
  const absl::StatusOr<core::FrameView> view = core::FrameView::Parse(*bytes);
  if (!view.ok()) return;
  for (const core::Interval& run : kept.intervals()) {
    absl::StatusOr<std::string> slice = core::SliceFrame(*view, run);
    if (!slice.ok()) continue;
    Held part;
    part.lease = held.lease;
    part.tasks = run;
    part.busy = held.busy * run.size() / all;
    part.size = static_cast<int64_t>(slice->size());
    part.bytes = std::make_shared<const std::string>(*std::move(slice));
    held_bytes_ += part.size;
    out->push_back(std::move(part));
  }
}

void FrameBuffer::Add(std::shared_ptr<LeaseState> lease, core::Interval tasks,
                      std::string bytes, absl::Duration busy,
                      const core::IntervalSet& dropped) {
  Held held;
  held.lease = std::move(lease);
  held.tasks = tasks;
  held.busy = busy;
  held.size = static_cast<int64_t>(bytes.size());
  held.bytes = std::make_shared<const std::string>(std::move(bytes));
  held_bytes_ += held.size;
  Cut(std::move(held), dropped, &waiting_);
}

void FrameBuffer::TakeSendable(std::vector<Outgoing>* out) {
  std::deque<Held> rest;
  bool full = false;
  for (Held& held : waiting_) {
    full = full || (in_flight_bytes_ > 0 &&
                    in_flight_bytes_ > window_bytes_ - held.size);
    if (full || !held.lease->live) {
      rest.push_back(std::move(held));
      continue;
    }
    held.sequence = ++last_sequence_;
    in_flight_bytes_ += held.size;
    out->push_back(FrameToSend{held.lease->job->id, held.lease->id,
                               held.sequence, held.tasks, held.busy,
                               held.bytes});
    sent_.push_back(std::move(held));
  }
  waiting_ = std::move(rest);
}

void FrameBuffer::Acknowledge(uint64_t sequence) {
  while (!sent_.empty() && sent_.front().sequence <= sequence) {
    in_flight_bytes_ -= sent_.front().size;
    Release(&sent_.front());
    sent_.pop_front();
  }
}

void FrameBuffer::AddOffers(std::map<JobId, core::IntervalSet>* offers) const {
  for (const std::deque<Held>* frames : {&sent_, &waiting_}) {
    for (const Held& held : *frames) {
      if (held.bytes != nullptr) {
        (*offers)[held.lease->job->id].Add(held.tasks);
      }
    }
  }
}

core::IntervalSet FrameBuffer::Keep(JobId job, const core::IntervalSet& wanted,
                                    const std::shared_ptr<LeaseState>& lease) {
  core::IntervalSet kept;
  std::deque<Held> frames;
  for (Held& held : waiting_) {
    if (held.lease->job->id != job || held.lease->live) {
      frames.push_back(std::move(held));
      continue;
    }
    const core::Interval tasks = held.tasks;
    // What another frame holds already need not be sent twice.
    core::IntervalSet missing = wanted.Missing(tasks);
    missing.Add(kept.Intersection(tasks));
    held.lease = lease;
    Cut(std::move(held), missing, &frames);
    kept.Add(wanted.Intersection(tasks));
  }
  waiting_ = std::move(frames);
  return kept;
}

void FrameBuffer::Drop(JobId job, LeaseId lease,
                       const core::IntervalSet& tasks) {
  const auto matches = [&](const Held& held) {
    return held.lease->job->id == job && held.lease->id == lease;
  };
  for (Held& held : sent_) {
    if (matches(held) && tasks.ContainsAll(held.tasks)) Release(&held);
  }
  std::deque<Held> frames;
  for (Held& held : waiting_) {
    if (matches(held)) {
      Cut(std::move(held), tasks, &frames);
    } else {
      frames.push_back(std::move(held));
    }
  }
  waiting_ = std::move(frames);
}

void FrameBuffer::DropJob(JobId job) {
  for (Held& held : sent_) {
    if (held.lease->job->id == job) Release(&held);
  }
  std::deque<Held> frames;
  for (Held& held : waiting_) {
    if (held.lease->job->id == job) {
      Release(&held);
    } else {
      frames.push_back(std::move(held));
    }
  }
  waiting_ = std::move(frames);
}

}  // namespace internode::worker
