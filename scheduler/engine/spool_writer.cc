#include "scheduler/engine/spool_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/log.h"

namespace internode::scheduler {

SpoolWriter::SpoolWriter(const Clock* clock, Spool* spool, RecentFrames* recent,
                         Handler handler)
    : clock_(clock),
      spool_(spool),
      recent_(recent),
      handler_(std::move(handler)),
      cleaner_(clock, {.turn_end = [] {},
                       .next_wakeup = [] { return absl::InfiniteFuture(); }}),
      strand_(clock, {.turn_end = [this] { EndTurn(); },
                      .next_wakeup = [this] { return probe_at_; }}) {}

void SpoolWriter::Start() {
  strand_.Start();
  cleaner_.Start();
}

void SpoolWriter::Stop() {
  strand_.Stop();
  cleaner_.Stop();
}

bool SpoolWriter::RunTurn() {
  const bool ran = strand_.RunTurn();
  return cleaner_.RunTurn() || ran;
}

void SpoolWriter::Create(core::JobId job) {
  strand_.Post([this, job] {
    if (!spool_->Create(job.value).ok()) to_create_.insert(job);
  });
}

void SpoolWriter::Write(FrameToWrite frame) {
  waiting_bytes_ += frame.frame->num_bytes();
  strand_.Post([this, frame = std::move(frame)]() mutable {
    queue_.push_back(std::move(frame));
  });
}

void SpoolWriter::Forget(core::JobId job) {
  strand_.Post([this, job] {
    // Frames that came before are written first, or given up.
    to_forget_.insert(job);
  });
}

void SpoolWriter::EndTurn() {
  if (!blocked_.empty() && clock_->Now() >= probe_at_) Probe();
  if (blocked_.empty()) {
    WriteWaiting();
    if (blocked_.empty() && !spool_->health().ok()) {
      Block(spool_->health().reason);
    }
  }
  for (const core::JobId job : to_forget_) ForgetNow(job);
  to_forget_.clear();
}

void SpoolWriter::ForgetNow(core::JobId job) {
  to_create_.erase(job);
  recent_->Forget(job);
  const auto warn = [job](const absl::Status& status) {
    if (status.ok()) return;
    LogWarning("the spool of job ", job.value,
               " is deleted at the next start: ", status.message());
  };
  warn(spool_->Forget(job.value));
  cleaner_.Post(
      [this, job, warn] { warn(spool_->DeleteForgotten(job.value)); });
}

void SpoolWriter::WriteWaiting() {
  while (!queue_.empty() && blocked_.empty()) {
    size_t num_appended = 0;
    // What fails; the frames before it are committed first.
    absl::Status failed;
    while (num_appended < queue_.size()) {
      failed = Append(queue_[num_appended]);
      if (!failed.ok()) break;
      ++num_appended;
    }
    Commit(num_appended);
    if (absl::IsNotFound(failed) && blocked_.empty()) {
      Drop(queue_.front());
      queue_.pop_front();
    } else if (!failed.ok() && blocked_.empty()) {
      Block(std::string(failed.message()));
    }
  }
}

absl::Status SpoolWriter::Append(const FrameToWrite& frame) {
  if (to_create_.contains(frame.job)) {
    absl::Status created = spool_->Create(frame.job.value);
    if (!created.ok()) return created;
    to_create_.erase(frame.job);
  }
  return spool_->Append(frame.job.value, frame.frame->view(), frame.wanted)
      .status();
}

void SpoolWriter::Commit(size_t num_appended) {
  if (num_appended == 0) return;
  const absl::Time begin = clock_->Now();
  const std::vector<Spool::CommitFailure> failures = spool_->Commit();
  commit_seconds_.Add(clock_->Now() - begin);
  const auto failed = [&](const FrameToWrite& frame) {
    return std::any_of(failures.begin(), failures.end(),
                       [&](const Spool::CommitFailure& failure) {
                         return failure.job == frame.job.value;
                       });
  };
  std::vector<core::FrameId> committed;
  committed.reserve(num_appended);
  std::deque<FrameToWrite> again;
  for (size_t i = 0; i < num_appended; ++i) {
    FrameToWrite frame = std::move(queue_.front());
    queue_.pop_front();
    if (failed(frame)) {
      again.push_back(std::move(frame));
      continue;
    }
    waiting_bytes_ -= frame.frame->num_bytes();
    committed.push_back(frame.id);
    if (frame.wanted.size() == 1 &&
        frame.wanted.front() == frame.frame->view().tasks()) {
      recent_->Add(frame.job, std::move(frame.frame));
    }
  }
  for (; !again.empty(); again.pop_back()) {
    queue_.push_front(std::move(again.back()));
  }
  if (!committed.empty()) handler_.committed(std::move(committed));
  if (!failures.empty()) Block(std::string(failures.front().status.message()));
}

void SpoolWriter::Drop(const FrameToWrite& frame) {
  waiting_bytes_ -= frame.frame->num_bytes();
  handler_.lost(frame.id);
}

void SpoolWriter::Block(const std::string& reason) {
  probe_at_ = clock_->Now() + kProbeInterval;
  if (reason == blocked_) return;
  blocked_ = reason;
  handler_.blocked(reason);
}

void SpoolWriter::Probe() {
  if (!spool_->Probe()) {
    Block(spool_->health().reason);
    return;
  }
  blocked_.clear();
  probe_at_ = absl::InfiniteFuture();
  handler_.resumed();
}

}  // namespace internode::scheduler
