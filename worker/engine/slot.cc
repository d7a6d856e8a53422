#include "worker/engine/slot.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "worker/engine/monotonic_clock.h"

namespace internode::worker {

namespace {

// Blocks that have more memory than so many times what a job's need are not
// kept for it.
constexpr int64_t kMostSpare = 4;

}  // namespace

bool IsRetryable(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnimplemented:
      return false;
    default:
      return true;
  }
}

void Slot::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Slot::Run() {
  while (NextStretch()) RunStretch();
}

bool Slot::NextStretch() {
  for (;;) {
    std::shared_ptr<JobState> job;
    switch (Find(&job)) {
      case Found::kStretch:
        return true;
      case Found::kMustFlush:
        Flush();
        break;
      case Found::kMustOpen:
        OpenJobOf(job);
        break;
      case Found::kForgotten:
        DropForgottenJobs();
        break;
      case Found::kIdleForLong:
        FreeBlocks();
        break;
      case Found::kStop:
        return false;
    }
  }
}

Slot::Found Slot::Find(std::shared_ptr<JobState>* job) {
  MutexLock lock(&engine_->mu_);
  for (;;) {
    if (engine_->stopping_) return Found::kStop;
    const int64_t next = stretch_.left().begin;
    const bool open = busy_ && open_begin_ != next;
    if (engine_->forgotten_jobs_ != seen_forgotten_) {
      seen_forgotten_ = engine_->forgotten_jobs_;
      return Found::kForgotten;
    }
    const Engine::Work work = engine_->ChooseWork(*this);
    if (work.lease != nullptr) {
      const bool goes_on = work.lease == lease_ && work.tasks.begin == next;
      if (open && !goes_on) return Found::kMustFlush;
      if (work.lease->job->opened == nullptr) {
        *job = work.lease->job;
        (*job)->opening = true;
        return Found::kMustOpen;
      }
      engine_->queue_.Take(work.lease, work.tasks);
      lease_ = work.lease;
      stretch_.Set(work.tasks);
      if (!open) {
        open_begin_ = work.tasks.begin;
        dropped_.Clear();
      }
      if (!busy_) ++engine_->busy_slots_;
      busy_ = true;
      return Found::kStretch;
    }
    if (engine_->Rebalance(this)) continue;
    if (open) return Found::kMustFlush;
    if (busy_) {
      busy_ = false;
      lease_ = nullptr;
      keep_until_ = absl::Now() + engine_->options_.keep_memory;
      engine_->SlotIsIdle();
    }
    const uint64_t seen = engine_->work_version_;
    const auto told = [this, seen] {
      engine_->mu_.AssertHeld();
      return engine_->stopping_ || engine_->work_version_ != seen;
    };
    if (!engine_->mu_.AwaitWithDeadline(told, keep_until_)) {
      return Found::kIdleForLong;
    }
  }
}

void Slot::OpenJobOf(const std::shared_ptr<JobState>& job) {
  std::shared_ptr<const JobRequest> request;
  {
    MutexLock lock(&engine_->mu_);
    request = job->request;
  }
  absl::StatusOr<std::shared_ptr<const WorkerJob>> opened =
      engine_->open_(*request);
  MutexLock lock(&engine_->mu_);
  engine_->JobOpened(job, std::move(opened));
}

void Slot::DropForgottenJobs() {
  // Destroyed last, and without a lock: closing a file takes time.
  std::unique_ptr<ReadAhead> dropped;
  {
    MutexLock lock(&engine_->mu_);
    if (ahead_->state != ReadAhead::State::kReading &&
        ahead_->lease != nullptr && ahead_->lease->job->forgotten) {
      dropped = ForgetAhead();
    }
  }
  current_ = nullptr;
  for (auto it = memory_.begin(); it != memory_.end();) {
    it = it->second.job->forgotten ? memory_.erase(it) : std::next(it);
  }
}

std::unique_ptr<Slot::ReadAhead> Slot::ForgetAhead() {
  auto forgotten = std::make_unique<ReadAhead>();
  std::swap(forgotten, ahead_);
  std::swap(forgotten->block, ahead_->block);
  return forgotten;
}

void Slot::FreeBlocks() {
  block_ = core::Block();
  core::Block freed;
  MutexLock lock(&engine_->mu_);
  if (ahead_->state == ReadAhead::State::kNone) {
    std::swap(freed, ahead_->block);
    keep_until_ = absl::InfiniteFuture();
  } else {
    // Another slot is about to take it.
    keep_until_ = absl::Now() + engine_->options_.keep_memory;
  }
}

absl::Status Slot::PrepareJob() {
  std::shared_ptr<JobState> job;
  std::shared_ptr<const WorkerJob> opened;
  {
    MutexLock lock(&engine_->mu_);
    job = lease_->job;
    opened = job->opened;
    alone_ = lease_->alone;
  }
  if (current_ != nullptr && current_->opened == opened) {
    return absl::OkStatus();
  }
  // A frame has records of one job.
  {
    MutexLock lock(&encoder_mu_);
    encoder_ = nullptr;
  }
  const functions::JobPlan& plan = opened->plan;
  const int64_t task = stretch_.left().begin;
  if (task < plan.num_tasks() &&
      block_.memory_bytes() / kMostSpare >
          plan.Task(task).num_pixels() * opened->bytes_per_pixel) {
    FreeBlocks();
  }
  JobMemory& memory = memory_[job->id];
  if (memory.opened != opened) {
    absl::StatusOr<std::unique_ptr<functions::Kernel>> kernel =
        opened->plan.prepared->NewKernel();
    if (!kernel.ok()) return kernel.status();
    memory.job = job;
    memory.opened = opened;
    memory.runner = std::make_unique<functions::TaskRunner>(
        [this](const core::Selection& selection, core::Block* block) {
          return Read(selection, block);
        },
        *std::move(kernel), opened->dim_names);
    memory.result =
        std::make_unique<core::BlockResult>(opened->plan.prepared->schema());
  }
  current_ = &memory;
  return absl::OkStatus();
}

void Slot::RunStretch() {
  const absl::Status prepared = PrepareJob();
  int64_t task = 0;
  int64_t now = NowNanos();
  int64_t done = 0;
  while (stretch_.Claim(&task)) {
    if (prepared.ok()) {
      now = RunTask(task, now);
    } else {
      MutexLock lock(&encoder_mu_);
      FailLocked(task, prepared);
    }
    ++done;
    if (done == 256) {
      engine_->tasks_done_.fetch_add(std::exchange(done, 0));
    }
    if (engine_->stopping_.load(std::memory_order_relaxed)) break;
    if (engine_->full_.load(std::memory_order_relaxed)) {
      state_->SetIdle();
      WaitForRoom();
      now = NowNanos();
    }
  }
  state_->SetIdle();
  engine_->tasks_done_.fetch_add(done);
}

int64_t Slot::RunTask(int64_t task, int64_t start_ns) {
  const WorkerJob& job = *current_->opened;
  state_->Set({current_->job->id, task, start_ns});
  task_ = task;
  const int64_t num_tasks = job.plan.num_tasks();
  const absl::Status status =
      task >= num_tasks
          ? absl::InvalidArgumentError(absl::StrCat(
                "the job has no task ", task, "; it has ", num_tasks))
          : current_->runner->Run(job.plan.Task(task), &block_,
                                  current_->result.get());
  const int64_t end_ns = NowNanos();
  MutexLock lock(&encoder_mu_);
  TakeResult(task, status, start_ns, end_ns);
  return end_ns;
}

void Slot::TakeResult(int64_t task, const absl::Status& status,
                      int64_t start_ns, int64_t end_ns) {
  if (!status.ok()) {
    FailLocked(task, status);
    return;
  }
  core::BlockResult& result = *current_->result;
  if (encoder_ == nullptr) {
    encoder_ = std::make_unique<core::FrameEncoder>(
        task, result.records().schema().record_bytes());
  } else if (encoder_->tasks().end != task) {
    FlushLocked();
    encoder_->BeginWith(task);
  }
  int64_t before = encoder_->frame_bytes();
  absl::Status appended = encoder_->AppendAndClear(&result);
  if (absl::IsResourceExhausted(appended) && frame_open()) {
    FlushLocked();
    before = encoder_->frame_bytes();
    appended = encoder_->AppendAndClear(&result);
  }
  if (!appended.ok()) {
    // No other worker makes less of it.
    FailLocked(task, absl::InvalidArgumentError(appended.message()));
    return;
  }
  if (encoder_->tasks().size() == 1) {
    frame_start_ns_ = start_ns;
    frame_busy_ns_ = 0;
  }
  frame_busy_ns_ += end_ns - start_ns;
  last_bytes_ = encoder_->frame_bytes() - before;
  if (FrameIsDue(end_ns)) FlushLocked();
}

bool Slot::FrameIsDue(int64_t now_ns) const {
  return alone_ ||
         encoder_->frame_bytes() + last_bytes_ >
             engine_->options_.frame_bytes ||
         now_ns - frame_start_ns_ >=
             absl::ToInt64Nanoseconds(engine_->options_.frame_age);
}

void Slot::Flush() {
  MutexLock lock(&encoder_mu_);
  FlushLocked();
}

void Slot::FlushOld(absl::Duration age) {
  MutexLock lock(&encoder_mu_);
  if (frame_open() &&
      NowNanos() - frame_start_ns_ >= absl::ToInt64Nanoseconds(age)) {
    FlushLocked();
  }
}

void Slot::FlushLocked() {
  if (!frame_open()) return;
  const core::Interval tasks = encoder_->tasks();
  // It has a task.
  absl::StatusOr<std::string> bytes = encoder_->Finish();
  if (!bytes.ok()) return;
  const absl::Duration busy = absl::Nanoseconds(frame_busy_ns_);
  MutexLock lock(&engine_->mu_);
  engine_->AddFrame(this, tasks, *std::move(bytes), busy);
}

void Slot::FailLocked(int64_t task, const absl::Status& status) {
  FlushLocked();
  encoder_ = nullptr;
  MutexLock lock(&engine_->mu_);
  engine_->AddFailure(this, {task, task + 1}, status);
}

void Slot::WaitForRoom() {
  MutexLock lock(&engine_->mu_);
  engine_->mu_.Await([this] { return engine_->stopping_ || !engine_->full_; });
}

absl::Status Slot::Read(const core::Selection& selection, core::Block* block) {
  const WorkerJob& job = *current_->opened;
  if (!job.reads) return job.read(selection, block);
  {
    MutexLock lock(&engine_->mu_);
    std::optional<absl::Status> ahead =
        engine_->TakeAhead(current_->opened, task_, block);
    engine_->PlanAhead(this);
    if (ahead.has_value()) return *std::move(ahead);
  }
  return job.read(selection, block);
}

}  // namespace internode::worker
